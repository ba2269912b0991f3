//! The size of the program.

use crate::Result;
use crate::report::{Row, Target, Unit};
use crate::rounds::Samples;
use crate::run::Run;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    #[expect(clippy::cast_precision_loss, reason = "a program is smaller than 4 PB")]
    let megabytes = run.wharf_size()? as f64 / 1e6;
    Ok(vec![Row::new("size", "release binary", Unit::Megabytes, Target::AtMost(6.0)).wharf(Samples::from(megabytes))])
}
