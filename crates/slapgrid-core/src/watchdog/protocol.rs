//! What supervisord tells an event listener, and how it is answered.
//!
//! Source: supervisor's documentation, "Event Listener Notification Protocol".

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::str::SplitWhitespace;

/// Longest line that starts an event, in bytes.
const HEADER_LIMIT: u64 = 4096;
/// Longest payload, in bytes. Those of the events that the watchdog asks for have some hundred.
const PAYLOAD_LIMIT: u64 = 1 << 20;

/// A program changed its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// The type, e.g. `PROCESS_STATE_EXITED`.
    pub(super) name: String,
    /// The program.
    pub(super) process: String,
    /// Its group.
    pub(super) group: String,
}

/// What came is not what supervisord sends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Standard input or output failed.
    #[error("cannot talk with supervisord")]
    Io(#[from] io::Error),
    /// An event has no readable beginning.
    #[error("supervisord sent an event that cannot be read: {0:?}")]
    Header(String),
}

/// Asks for an event and waits for it; `None` once supervisord has closed the pipe.
pub(super) fn next_event(
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Option<Event>, ProtocolError> {
    send(output, "READY\n")?;
    let mut header = Vec::new();
    input
        .by_ref()
        .take(HEADER_LIMIT)
        .read_until(b'\n', &mut header)?;
    if header.is_empty() {
        return Ok(None);
    }
    let header = String::from_utf8_lossy(&header).into_owned();
    let tokens = tokens(header.split_whitespace());
    let length = tokens.get("len").and_then(|length| length.parse().ok());
    let length = length.filter(|length| *length <= PAYLOAD_LIMIT);
    let (Some(name), Some(length)) = (tokens.get("eventname"), length) else {
        return Err(ProtocolError::Header(header));
    };
    let mut payload = Vec::new();
    input.by_ref().take(length).read_to_end(&mut payload)?;
    let payload = String::from_utf8_lossy(&payload);
    // Events of other kinds have lines of free text after the first.
    let payload = self::tokens(
        payload
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace(),
    );
    let text = |key: &str| payload.get(key).copied().unwrap_or_default().to_owned();
    Ok(Some(Event {
        name: (*name).to_owned(),
        process: text("processname"),
        group: text("groupname"),
    }))
}

/// Tells that the event needs no more attention.
pub(super) fn acknowledge(output: &mut impl Write) -> Result<(), ProtocolError> {
    Ok(send(output, "RESULT 2\nOK")?)
}

fn send(output: &mut impl Write, text: &str) -> io::Result<()> {
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn tokens(words: SplitWhitespace<'_>) -> BTreeMap<&str, &str> {
    words.filter_map(|word| word.split_once(':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Event>, ProtocolError> {
        let mut output = Vec::new();
        let event = next_event(&mut text.as_bytes(), &mut output);
        assert_eq!(output, b"READY\n");
        event
    }

    #[test]
    fn an_event_has_a_type_a_program_and_its_group() {
        let payload =
            "processname:web-on-watch groupname:slappart0 from_state:RUNNING expected:0 pid:7";
        let header = format!(
            "ver:3.0 server:supervisor serial:21 pool:watchdog poolserial:10 eventname:PROCESS_STATE_EXITED len:{}\n",
            payload.len()
        );
        let event = read(&format!("{header}{payload}rest")).unwrap().unwrap();
        assert_eq!(event.name, "PROCESS_STATE_EXITED");
        assert_eq!(event.process, "web-on-watch");
        assert_eq!(event.group, "slappart0");
    }

    #[test]
    fn the_end_of_supervisord_is_no_mistake() {
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn other_input_is_refused() {
        for text in [
            "\n",
            "hello\n",
            "eventname:X\n",
            "eventname:X len:-1\n",
            "eventname:X len:99999999999999\n",
        ] {
            let error = read(text).unwrap_err();
            assert!(
                matches!(error, ProtocolError::Header(_)),
                "{text:?}: {error}"
            );
        }
    }

    #[test]
    fn input_without_end_is_not_kept_in_memory() {
        let error = read(&"x".repeat(1 << 20)).unwrap_err();
        assert!(error.to_string().len() < 5000);
    }
}
