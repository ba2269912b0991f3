//! Documents that nobody would write, and whoever wants to break wharf might.

use super::survive::survives;
use super::tests::EVERYTHING;

/// Pseudo-random numbers (xorshift), equal in each run, so that a failure can be reproduced.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

const PIECES: [&str; 24] = [
    "{",
    "}",
    "\"",
    "\\",
    ";",
    "\n",
    "/*",
    "*/",
    "/-",
    "=",
    "#true",
    "#null",
    "#\"",
    "\"\"\"",
    "(",
    ")",
    "\u{1b}[31m",
    "\u{202e}",
    "größe",
    "\t",
    "image",
    "4GiB",
    "-9e999",
    "\u{0}",
];

#[test]
fn no_document_makes_the_decoder_panic() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    // More of them for whoever has the time: `WHARF_FUZZ_ROUNDS=100000 cargo test --lib hostile`.
    let rounds = std::env::var("WHARF_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for _ in 0..rounds.unwrap_or(600) {
        let mut bytes = EVERYTHING.as_bytes().to_vec();
        for _ in 0..=numbers.below(6) {
            let at = numbers.below(bytes.len());
            match numbers.below(4) {
                0 => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].bytes())),
                1 => drop(bytes.drain(at..(at + numbers.below(40)).min(bytes.len()))),
                2 => bytes.truncate(at.max(1)),
                _ if bytes.is_empty() => break,
                _ => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
            }
        }
        survives(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn what_a_file_says_is_not_obeyed_by_the_terminal() {
    for name in ["\\n\\u{1b}[31m", "\\u{202e}x", "\\u{7}"] {
        for text in [
            "\"%\"",
            "image \"%\"",
            "env { \"%\"; }",
            "port 1 \"%\"=1",
            "session \"%\"",
            "mount \"~%\"",
            "mount \"%/docker.sock\" \"%\"",
        ] {
            survives(&text.replace('%', name));
        }
    }
}

#[test]
fn deep_and_long_documents_end_soon() {
    // All of these took the parser's stack where it had the usual one.
    for text in ["a {", "a \"}\" {", "a /* \"*/", "a { \"}\" ", "/*", "/-{", "a (", "a=", "\"", "#", "/-", "a}", "\\\n"] {
        for count in [190, 1000] {
            survives(&text.repeat(count));
        }
    }
    for text in ["a=", "\"", "a ("] {
        survives(&text.repeat(8000 / text.len()));
    }
}
