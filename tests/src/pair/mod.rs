//! Our master beside the peer's: the same calls to both, answers and databases compared.

mod clock;
mod content;
pub mod database;
mod master;
mod step;

pub use master::Master;
pub use step::Step;

use clock::Clock;
use content::Difference;
use slap_proto::marshal::Value;

use crate::Side;

/// A difference that is meant. Each part is a pattern: `*` is anything, `|` parts alternatives.
#[derive(Debug)]
pub struct Meant {
    /// What it is called in the table.
    pub name: &'static str,
    /// The call that shows it.
    pub call: &'static str,
    /// Where, in the answer or in the database.
    pub path: &'static str,
    /// What ours says.
    pub ours: &'static str,
    /// What the peer says.
    pub theirs: &'static str,
    /// Why ours differs.
    pub why: &'static str,
}

/// Both masters, each with a fresh database, and what was found so far.
pub struct Pair {
    ours: Subject,
    theirs: Subject,
    meant: &'static [&'static Meant],
    occurred: Vec<bool>,
    failures: Vec<String>,
}

/// One master, and the timestamps in its database.
struct Subject {
    master: Master,
    clock: Clock,
}

impl Subject {
    fn start(side: Side, computer: &str, settings: &str) -> Self {
        Self {
            master: Master::start(side, computer, settings),
            clock: Clock::default(),
        }
    }

    /// Answer and database after a call; `look` is shown the raw answer.
    fn ask(&mut self, step: &Step, look: impl FnOnce(u16, &[u8])) -> (Value, Value) {
        let (status, body) = step.send(&self.master.address);
        look(status, &body);
        let rows = self.rows();
        let address = &self.master.address;
        (content::answer(status, &body, address, &self.clock), rows)
    }

    fn rows(&mut self) -> Value {
        database::contents(&self.master.database(), &mut self.clock)
    }
}

impl Pair {
    /// Starts both; `meant` are the differences that the calls to come will show, each at least
    /// once.
    pub fn start(computer: &str, settings: &str, meant: &'static [&'static Meant]) -> Self {
        Self {
            ours: Subject::start(Side::Ours, computer, settings),
            theirs: Subject::start(Side::Peer, computer, settings),
            meant,
            occurred: vec![false; meant.len()],
            failures: Vec::new(),
        }
    }

    /// HOST:PORT of our master.
    pub fn our_address(&self) -> &str {
        &self.ours.master.address
    }

    /// Makes the call at both and notes what differs in the answers and in the databases. Then
    /// ours gets what the peer's database holds, so that both begin the next call alike.
    pub fn ask(&mut self, step: &Step) {
        self.ask_and(step, |_, _| ());
    }

    /// As [`Pair::ask`]; `look` is shown status and body of our answer.
    pub fn ask_and(&mut self, step: &Step, look: impl FnOnce(u16, &[u8])) {
        let (our_answer, our_rows) = self.ours.ask(step, look);
        let (their_answer, their_rows) = self.theirs.ask(step, |_, _| ());
        let mut found = content::differences("answer", &our_answer, &their_answer);
        let rows = content::differences("db", &our_rows, &their_rows);
        if !rows.is_empty() {
            self.ours.master.take_over(&self.theirs.master);
            self.ours.rows();
        }
        found.extend(rows);
        let mut names: Vec<_> = found
            .iter()
            .filter_map(|found| self.judge(step, found))
            .collect();
        names.sort_unstable();
        names.dedup();
        let verdict = match names.len() {
            0 => "same".to_owned(),
            _ => names.join(", "),
        };
        let (ours, theirs) = (status(&our_answer), status(&their_answer));
        println!("{} | {ours} | {theirs} | {verdict}", step.call());
    }

    /// The name of the difference if it is meant, else one failure more.
    fn judge(&mut self, step: &Step, found: &Difference) -> Option<&'static str> {
        let name = self.name(step, found);
        if name.is_none() {
            self.failures.push(format!("{step}: {found}"));
        }
        name
    }

    /// The meant difference that this one is.
    fn name(&mut self, step: &Step, found: &Difference) -> Option<&'static str> {
        let index = self.meant.iter().position(|meant| {
            matches(meant.call, step.call())
                && matches(meant.path, &found.path)
                && matches(meant.ours, &found.ours)
                && matches(meant.theirs, &found.theirs)
        })?;
        self.occurred[index] = true;
        Some(self.meant[index].name)
    }

    /// Fails the test if anything differed that was not meant, or the other way round.
    pub fn finish(mut self) {
        let absent = self.meant.iter().zip(&self.occurred);
        let absent = absent.filter(|(_, occurred)| !**occurred);
        let absent = absent.map(|(meant, _)| format!("no longer differs: {}", meant.name));
        self.failures.extend(absent);
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
    }
}

fn status(answer: &Value) -> String {
    let status = answer.as_dict().and_then(|dict| dict.get("status"));
    status.map(Value::to_text).unwrap_or_default()
}

/// Whether a text is what one of the alternatives describes.
fn matches(pattern: &str, text: &str) -> bool {
    pattern
        .split('|')
        .any(|alternative| fits(alternative, text))
}

fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len())
        .filter(|at| rest.is_char_boundary(*at))
        .any(|at| fits(tail, &rest[at..]))
}
