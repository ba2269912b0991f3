//! Exit codes, as shells have them.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

/// Of a program that could not be run.
pub const NOT_RUN: i32 = 126;
/// Of one that is not there.
const NOT_FOUND: i32 = 127;

/// What a program has ended with.
pub fn code_of(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(of_signal)).unwrap_or(NOT_RUN)
}

/// Of a program that a signal ended, by its number.
pub fn of_signal(signal: i32) -> i32 {
    128 + signal
}

/// Of a program that the system would not run.
pub fn of_failure(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }
}

/// Ends this program with a code, of which the system keeps eight bits.
pub fn with(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}
