//! A call as it is sent to both masters.

use std::fmt;

use slap_proto::calls::{Call, Method};

use crate::http;

/// One call: fields may be anything, also what no client would send.
#[derive(Debug, Clone)]
pub struct Step {
    method: &'static str,
    call: String,
    fields: Vec<(String, Vec<u8>)>,
    headers: Vec<String>,
    /// What is sent instead of the fields, and its type.
    body: Option<(String, Vec<u8>)>,
    recorded: Option<Recorded>,
}

/// A request of real programs, to be sent as it is.
#[derive(Debug, Clone)]
struct Recorded {
    name: String,
    /// Method and path.
    target: String,
    body: String,
}

impl Step {
    /// A call by its endpoint.
    pub fn new(method: Method, call: &str) -> Self {
        Self {
            method: match method {
                Method::Get => "GET",
                Method::Post => "POST",
            },
            call: call.to_owned(),
            fields: Vec::new(),
            headers: Vec::new(),
            body: None,
            recorded: None,
        }
    }

    /// A request as a line of `tests/corpus` holds it: its name, method, path, `Authorization`
    /// (`-` if there is none) and body, tabs between them.
    pub fn recorded(line: &str) -> Self {
        let parts: Vec<_> = line.split('\t').collect();
        let [name, method, path, authorization, body] = parts[..] else {
            panic!("not a recorded request: {line}");
        };
        let call = path.trim_matches('/').split('?').next().unwrap_or(path);
        let step = Self {
            recorded: Some(Recorded {
                name: name.to_owned(),
                target: format!("{method} {path}"),
                body: body.to_owned(),
            }),
            ..Self::new(Method::Post, call)
        };
        match authorization {
            "-" => step,
            value => step.header(&format!("Authorization: {value}")),
        }
    }

    /// A POST of a JSON document, or of what pretends to be one.
    pub fn json(path: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new(Method::Post, path).body("application/json", body)
    }

    /// Sends this body, raw.
    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.body = Some((content_type.to_owned(), body.as_ref().to_vec()));
        self
    }

    /// A call as a client of today sends it.
    pub fn of<C: Call>(call: &C) -> Self {
        let fields = call.to_fields().expect("the call of a test can be written");
        fields
            .iter()
            .fold(Self::new(C::METHOD, C::ENDPOINT), |step, (name, value)| {
                step.with(name, value)
            })
    }

    /// Sets a field, raw.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref().to_vec();
        match self.fields.iter_mut().find(|(present, _)| present == name) {
            Some((_, present)) => *present = value,
            None => self.fields.push((name.to_owned(), value)),
        }
        self
    }

    /// Leaves out a field.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(present, _)| present != name);
        self
    }

    /// Adds a header, a whole line.
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// Speaks for a partition, as clients of today do.
    pub fn acting_for(self, computer: &str, partition: &str) -> Self {
        self.header(&format!(
            "Authorization: X-SlapPartition computer_id={computer}, computer_partition_id={partition}"
        ))
    }

    /// The endpoint.
    pub fn call(&self) -> &str {
        &self.call
    }

    /// Status and body of the answer of one master.
    ///
    /// # Panics
    /// The master does not answer.
    pub fn send(&self, address: &str) -> (u16, Vec<u8>) {
        let form = self.form();
        let (content_type, body) = match &self.body {
            Some((content_type, body)) => (content_type.as_str(), body.as_slice()),
            None => ("application/x-www-form-urlencoded", form.as_bytes()),
        };
        let content_type = format!("Content-Type: {content_type}");
        let with_type = [&self.headers[..], &[content_type]].concat();
        let answer = match &self.recorded {
            Some(Recorded { target, body, .. }) if body.is_empty() => {
                http::ask(address, target, &self.headers, None)
            }
            Some(Recorded { target, body, .. }) => {
                http::ask(address, target, &with_type, Some(body.as_bytes()))
            }
            None if self.method == "GET" => {
                let target = format!("GET /{}?{form}", self.call);
                http::ask(address, &target, &self.headers, None)
            }
            None => {
                let target = format!("POST /{}", self.call);
                http::ask(address, &target, &with_type, Some(body))
            }
        };
        answer.unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// The fields, urlencoded byte by byte.
    fn form(&self) -> String {
        let pairs = self.fields.iter().map(|(name, value)| {
            let value: String = value.iter().map(|byte| escape(*byte)).collect();
            format!("{name}={value}")
        });
        pairs.collect::<Vec<_>>().join("&")
    }
}

fn escape(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(recorded) = &self.recorded {
            return write!(f, "{}", recorded.name);
        }
        write!(f, "{}", self.call)?;
        if let Some((_, body)) = &self.body {
            let body = String::from_utf8_lossy(body);
            write!(f, " {}", body.chars().take(200).collect::<String>())?;
        }
        for (name, value) in &self.fields {
            let value = String::from_utf8_lossy(value);
            let short: String = value.chars().take(80).collect();
            let short = short.replace("<marshal>", "").replace("</marshal>", "");
            write!(f, " {name}={short}")?;
        }
        Ok(())
    }
}
