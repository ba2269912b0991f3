//! Lines with colours, as tmux captures them, one after the other on a terminal.

use bytes::BytesMut;

/// The sequences that make up a style are few; what is longer is no style that tmux would write.
const LONGEST: usize = 256;

/// The style that a line ends with, in which the next one goes on.
#[derive(Debug, Default)]
pub struct Styled {
    style: Vec<u8>,
}

impl Styled {
    /// Adds a line and its end. A line that begins below has no colour of the one above: terminals fill new lines with the
    /// background that is set.
    pub fn line(&mut self, line: &[u8], out: &mut BytesMut) {
        out.extend_from_slice(line);
        let mut rest = line;
        while let Some(start) = rest.windows(2).position(|two| two == b"\x1b[") {
            let sequence = &rest[start..];
            let Some(end) = sequence.iter().skip(2).position(|b| (0x40..=0x7e).contains(b)) else { break };
            let (sequence, after) = sequence.split_at(end + 3);
            self.note(sequence);
            rest = after;
        }
        if self.style.is_empty() {
            out.extend_from_slice(b"\r\n");
        } else {
            out.extend_from_slice(b"\x1b[0m\r\n");
            out.extend_from_slice(&self.style);
        }
    }

    fn note(&mut self, sequence: &[u8]) {
        let [_, _, parameters @ .., b'm'] = sequence else { return };
        let (first, rest) = match parameters.iter().position(|&b| b == b';') {
            Some(end) => (&parameters[..end], &parameters[end + 1..]),
            None => (parameters, &[][..]),
        };
        let is_reset = matches!(first, b"" | b"0");
        if is_reset {
            self.style.clear();
        }
        if (!is_reset || !rest.is_empty()) && self.style.len() + sequence.len() <= LONGEST {
            self.style.extend_from_slice(sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_stays_in_its_line() {
        let (mut styled, mut out) = (Styled::default(), BytesMut::new());
        for line in [&b"plain"[..], b"\x1b[1m\x1b[44mblue", b"still\x1b[0;31mred", b"red\x1b[0m.", b"plain"] {
            styled.line(line, &mut out);
        }
        let expected = "plain\r\n\x1b[1m\x1b[44mblue\x1b[0m\r\n\x1b[1m\x1b[44mstill\x1b[0;31mred\x1b[0m\r\n\
            \x1b[0;31mred\x1b[0m.\r\nplain\r\n";
        assert_eq!(out.escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string());
    }
}
