//! A master that answers as a test tells it, and remembers what it was asked.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use slap_proto::documents::{Computer, ComputerPartition, SoftwareRelease, SoftwareState};
use slap_proto::marshal::{Dict, Value, encode};
use slap_proto::usage::Journal;

use crate::COMPUTER;

/// One call that a master got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The path.
    pub endpoint: String,
    /// The fields of the query or the form.
    pub fields: BTreeMap<String, String>,
}

/// What a master does instead of what it is asked.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// Answers with this status and text.
    Answer(u16, String),
    /// Answers something else than what was asked for.
    Garbage,
    /// Closes the connection in the middle of the answer.
    Cut,
    /// Answers rightly, but so much later.
    Late(Duration),
    /// Does what it is asked, and does not answer.
    Silence,
}

/// An instance as the master describes it.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its partition.
    pub partition: String,
    /// URL of its release.
    pub release: String,
    /// The state that is wanted.
    pub state: String,
    /// The master's timestamp.
    pub timestamp: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, Value>,
    /// Wishes of its request.
    pub filter: BTreeMap<String, Value>,
}

impl Instance {
    /// A started instance.
    pub fn new(partition: &str, release: &str) -> Self {
        Self {
            partition: partition.to_owned(),
            release: release.to_owned(),
            state: "started".to_owned(),
            timestamp: "1700000000".to_owned(),
            parameters: BTreeMap::new(),
            filter: BTreeMap::new(),
        }
    }

    fn document(&self) -> ComputerPartition {
        let mut parameter_dict = self.parameters.clone();
        parameter_dict.insert("timestamp".to_owned(), self.timestamp.as_str().into());
        ComputerPartition {
            computer_id: COMPUTER.to_owned(),
            partition_id: self.partition.clone(),
            requested_state: Some(self.state.clone()),
            need_modification: true,
            parameter_dict,
            filter_dict: self.filter.clone(),
            software_release: Some(SoftwareRelease {
                url: Some(self.release.clone()),
                computer_guid: Some(COMPUTER.to_owned()),
                ..SoftwareRelease::default()
            }),
            ..ComputerPartition::default()
        }
    }
}

/// What the master knows, and what happened to it.
#[derive(Debug, Default)]
pub struct Script {
    /// The releases of the computer.
    pub releases: Vec<(String, SoftwareState)>,
    /// The instances of the computer.
    pub instances: Vec<Instance>,
    /// Partitions without instance.
    pub free: Vec<String>,
    /// Certificate and key of every partition.
    pub certificate: (String, String),
    /// What is done at calls of these paths; the first one that fits, so many times.
    pub faults: Vec<(String, Misbehaviour, usize)>,
    /// So many calls are answered before one is met with silence; then this is none again.
    pub calls_before_silence: Option<usize>,
    calls: Vec<Call>,
}

impl Script {
    /// Misbehaves at the next call of this path.
    pub fn fail_once(&mut self, endpoint: &str, misbehaviour: Misbehaviour) {
        self.faults.push((endpoint.to_owned(), misbehaviour, 1));
    }

    /// Misbehaves at every call of this path.
    pub fn fail_always(&mut self, endpoint: &str, misbehaviour: Misbehaviour) {
        self.faults
            .push((endpoint.to_owned(), misbehaviour, usize::MAX));
    }

    /// The instance of a partition, to change what is wanted of it.
    pub fn instance(&mut self, partition: &str) -> &mut Instance {
        let mut instances = self.instances.iter_mut();
        instances
            .find(|instance| instance.partition == partition)
            .expect("the partition has an instance")
    }

    /// The last call that came.
    ///
    /// # Panics
    /// None came.
    pub fn last_call(&self) -> &Call {
        self.calls.last().expect("a call came")
    }

    /// How many calls of this path came.
    pub fn count(&self, endpoint: &str) -> usize {
        let calls = self.calls.iter();
        calls.filter(|call| call.endpoint == endpoint).count()
    }

    fn misbehaviour(&mut self, endpoint: &str) -> Option<Misbehaviour> {
        match self.calls_before_silence {
            Some(0) => {
                self.calls_before_silence = None;
                return Some(Misbehaviour::Silence);
            }
            Some(left) => self.calls_before_silence = Some(left - 1),
            None => {}
        }
        let fits = |(path, _, times): &&mut (String, _, usize)| path == endpoint && *times > 0;
        let (_, misbehaviour, times) = self.faults.iter_mut().find(fits)?;
        *times = times.saturating_sub(usize::from(*times != usize::MAX));
        Some(misbehaviour.clone())
    }

    fn computer(&self) -> Computer {
        let release = |(url, state): &(String, SoftwareState)| SoftwareRelease {
            url: Some(url.clone()),
            computer_guid: Some(COMPUTER.to_owned()),
            requested_state: *state,
            ..SoftwareRelease::default()
        };
        let free = self.free.iter().map(|partition| ComputerPartition {
            computer_id: COMPUTER.to_owned(),
            partition_id: partition.clone(),
            requested_state: Some("destroyed".to_owned()),
            ..ComputerPartition::default()
        });
        let busy = self.instances.iter().map(Instance::document);
        Computer {
            computer_id: COMPUTER.to_owned(),
            software_release_list: self.releases.iter().map(release).collect(),
            computer_partition_list: busy.chain(free).collect(),
            ..Computer::default()
        }
    }

    fn answer(&mut self, call: &Call) -> (u16, String) {
        match call.endpoint.as_str() {
            "getHateoasUrl" => (404, String::new()),
            "getFullComputerInformation" => {
                (200, self.computer().to_document().unwrap_or_default())
            }
            "registerComputerPartition" => {
                let partition = call.field("computer_partition_reference").to_owned();
                (
                    200,
                    document(&self.instance(&partition).document().to_value()),
                )
            }
            "getComputerPartitionCertificate" => {
                let (certificate, key) = &self.certificate;
                let dict: Dict = [("certificate", certificate), ("key", key)]
                    .into_iter()
                    .map(|(name, text)| (name, Value::from(text.as_str())))
                    .collect();
                (200, document(&Value::Dict(Arc::new(dict))))
            }
            "destroyedComputerPartition" => {
                let partition = call.field("computer_partition_id");
                self.instances
                    .retain(|instance| instance.partition != partition);
                self.free.push(partition.to_owned());
                (200, "OK".to_owned())
            }
            "destroyedSoftwareRelease" => {
                self.releases.retain(|(url, _)| url != call.field("url"));
                (200, "OK".to_owned())
            }
            _ => (200, "OK".to_owned()),
        }
    }
}

fn document(value: &Value) -> String {
    encode(value).expect("test values can be written")
}

impl Call {
    /// A field, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// What a call is about, in one line: texts of errors are each program's own.
impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.endpoint)?;
        for field in ["url", "computer_partition_id", "instance_reference_xml"] {
            if let Some(text) = self.fields.get(field) {
                write!(formatter, " {text}")?;
            }
        }
        if let Ok(journal) = Journal::from_xml(self.field("use_string").as_bytes()) {
            for movement in journal.transactions.iter().flat_map(|sale| &sale.movements) {
                let partition = movement.reference.as_deref().unwrap_or_default();
                let (resource, quantity) = (&movement.resource, &movement.quantity);
                write!(formatter, " [{partition}: {quantity} {resource}]")?;
            }
        }
        Ok(())
    }
}

/// A master on loopback. Dropping it ends it.
#[derive(Debug)]
pub struct ScriptedMaster {
    port: u16,
    script: Arc<Mutex<Script>>,
    ended: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl ScriptedMaster {
    /// Serves on this port.
    pub fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let script = Arc::new(Mutex::new(Script::default()));
        let ended = Arc::new(AtomicBool::new(false));
        let (served, end) = (script.clone(), ended.clone());
        let server = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                let script = served.clone();
                // A client that goes away is none of the master's business.
                thread::spawn(move || drop(serve(&stream, &script)));
            }
        });
        Self {
            port,
            script,
            ended,
            server: Some(server),
        }
    }

    /// What the master knows, to look at and to change.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls since this was asked last.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.script().calls)
    }
}

impl ScriptedMaster {
    /// Goes away: from now on nobody listens there.
    pub fn stop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the server up.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(server) = self.server.take() {
            drop(server.join());
        }
    }
}

impl Drop for ScriptedMaster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(stream: &TcpStream, script: &Mutex<Script>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let call = read_call(&mut BufReader::new(stream))?;
    let (misbehaviour, (status, body)) = {
        let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
        script.calls.push(call.clone());
        match script.misbehaviour(&call.endpoint) {
            Some(Misbehaviour::Answer(status, text)) => (None, (status, text)),
            Some(Misbehaviour::Garbage) => (None, (200, "<html>Welcome!".to_owned())),
            other => (other, script.answer(&call)),
        }
    };
    match misbehaviour {
        Some(Misbehaviour::Late(delay)) => thread::sleep(delay),
        // Until the client goes away.
        Some(Misbehaviour::Silence) => return io::copy(&mut &*stream, &mut io::sink()).map(drop),
        _ => {}
    }
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} .\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    if let Some(Misbehaviour::Cut) = misbehaviour {
        stream.write_all(&body.as_bytes()[..length / 2])?;
        return stream.shutdown(Shutdown::Both);
    }
    stream.write_all(body.as_bytes())
}

fn read_call(stream: &mut impl BufRead) -> io::Result<Call> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let form = if query.is_empty() {
        &body
    } else {
        query.as_bytes()
    };
    Ok(Call {
        endpoint: path.trim_matches('/').to_owned(),
        fields: form_urlencoded::parse(form).into_owned().collect(),
    })
}
