//! Bytes cut into lines.

/// Unless a program is known for longer ones, lines are cut after that many bytes, so that output
/// without line feeds takes no memory either.
pub(super) const LINE_LIMIT: usize = 8 * 1024;

/// Collects bytes and hands on whole lines as text.
#[derive(Debug)]
pub(super) struct LineBuffer {
    pending: Vec<u8>,
    limit: usize,
}

impl LineBuffer {
    /// A buffer that cuts lines after `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        LineBuffer {
            pending: Vec::new(),
            limit,
        }
    }

    /// Adds bytes, and hands on every line that is complete or too long.
    pub(super) fn push(&mut self, bytes: &[u8], hand_on: &mut dyn FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = piece;
            while self.pending.len() + rest.len() > self.limit {
                let (now, later) = rest.split_at(self.limit - self.pending.len());
                self.pending.extend_from_slice(now);
                self.flush(hand_on);
                rest = later;
            }
            self.pending.extend_from_slice(rest);
            if self.pending.ends_with(b"\n") {
                self.flush(hand_on);
            }
        }
    }

    /// Hands on what is left at the end.
    pub(super) fn finish(&mut self, hand_on: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            self.flush(hand_on);
        }
    }

    fn flush(&mut self, hand_on: &mut dyn FnMut(&str)) {
        let line = self.pending.strip_suffix(b"\n").unwrap_or(&self.pending);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        hand_on(&String::from_utf8_lossy(line));
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut buffer = LineBuffer::new(LINE_LIMIT);
        for piece in pieces {
            buffer.push(piece, &mut |line| found.push(line.to_owned()));
        }
        buffer.finish(&mut |line| found.push(line.to_owned()));
        found
    }

    #[test]
    fn lines_may_come_in_pieces() {
        assert_eq!(
            lines(&[b"on", b"e\ntw", b"o\r\n", b"\nend"]),
            ["one", "two", "", "end"]
        );
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(lines(&[b"caf\xe9 \xff\n"]), ["caf\u{fffd} \u{fffd}"]);
    }

    #[test]
    fn characters_may_come_in_pieces() {
        assert_eq!(lines(&[b"\xc3", b"\xa9\n"]), ["\u{e9}"]);
    }

    #[test]
    fn endless_line_is_cut() {
        let found = lines(&[&vec![b'x'; 3 * LINE_LIMIT + 1]]);
        let lengths: Vec<usize> = found.iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_LIMIT, LINE_LIMIT, LINE_LIMIT, 1]);
    }
}
