//! What is printed and reported: results, errors, and what is shown while something takes long.

pub mod ago;
pub mod local;
pub mod print;
pub mod progress;
pub mod report;
