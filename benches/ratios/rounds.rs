//! Measuring in turn: what disturbs the machine for a while disturbs all contestants alike.

use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use crate::Result;

/// How long the machine rests before each turn. Right after a program in a container has ended, the next one starts faster:
/// in 26 ms within 5 ms of it, in 37 ms after 30 ms, in 40 ms from rest (runc 1.1, Linux 6.18). A contestant that takes a
/// millisecond more to reach the engine would be measured against something else, and people begin from rest.
const REST: Duration = Duration::from_millis(150);

/// What one contestant reached, a value for each round.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Half the distance between the quartiles: about half of the values lie this close to the median.
    pub fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / 2.0
    }

    /// Between two values, the way from one to the other counts.
    pub fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else {
            return f64::NAN;
        };
        #[expect(clippy::cast_precision_loss, reason = "there are never that many rounds")]
        let place = part * last as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
        let below = place as usize;
        let above = (below + 1).min(last);
        sorted[below] + (sorted[above] - sorted[below]) * place.fract()
    }
}

impl From<f64> for Samples {
    fn from(value: f64) -> Self {
        Self(vec![value])
    }
}

/// Gives one value for a round, and leaves everything as it was.
pub type Contestant<'a> = Box<dyn FnMut() -> Result<f64> + 'a>;

/// Runs the contestants in turn, each from rest, each round begun by another one. The first round warms up and does not count.
pub fn interleave<const N: usize>(name: &str, rounds: usize, mut contestants: [Contestant; N]) -> Result<[Samples; N]> {
    let mut samples = std::array::from_fn(|_| Samples::default());
    for round in 0..=rounds {
        show_progress(name, round, rounds);
        for turn in 0..N {
            let index = (round + turn) % N;
            thread::sleep(REST);
            let value = contestants[index]()?;
            if round > 0 {
                samples[index].0.push(value);
            }
        }
    }
    Ok(samples)
}

pub fn milliseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1000.0
}

fn show_progress(name: &str, round: usize, rounds: usize) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K    {name}: round {round} of {rounds}");
    } else if round == 0 {
        eprintln!("    {name}: {rounds} rounds");
    }
}

pub fn clear_progress() {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
