//! The sizes of the programs.

use std::path::Path;

use crate::Result;
use crate::report::{Row, Target, Unit};
use crate::rounds::Samples;
use crate::run::Run;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    let guest = run.wharf.with_file_name("wharf-guest");
    let row = |program: &Path, what, most| -> Result<Row> {
        #[expect(clippy::cast_precision_loss, reason = "a program is smaller than 4 PB")]
        let megabytes = program.metadata()?.len() as f64 / 1e6;
        Ok(Row::new("size", what, Unit::Megabytes, Target::AtMost(most)).wharf(Samples::from(megabytes)))
    };
    Ok(vec![
        row(&run.wharf, "wharf, the program on the host", 15.0)?,
        row(&guest, "wharf-guest, the program in containers", 2.0)?,
    ])
}
