//! A build, as people follow it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use super::{Live, say_plainly};
use crate::error::{Error, Result};

/// How many lines to show, and how many to have in hand for who has to know why it failed.
const SHOWN: usize = 5;
const KEPT: usize = 10;
/// What the builder says of itself.
const NOISE: [&str; 3] = ["Step ", " ---> ", "Removing intermediate container "];
/// How often to show that somebody is at work.
const TURN: Duration = Duration::from_millis(100);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// On a terminal the last few lines; elsewhere all of them.
pub struct Build<'a> {
    image: &'a str,
    /// `2: RUN make`
    step: Option<String>,
    lines: VecDeque<String>,
    unfinished: String,
    turn: usize,
    live: Live,
}

/// Awaits what tells of a build, and shows meanwhile that it is at work.
pub async fn turning<T>(build: &RefCell<Build<'_>>, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut turns = tokio::time::interval(TURN);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = turns.tick() => build.borrow_mut().tick(),
        }
    }
}

/// Shows what has the engine build an image. `failed` makes an error of what the engine says, the step, and what was printed
/// last.
pub async fn build(
    image: &str,
    work: impl AsyncFnOnce(&RefCell<Build<'_>>) -> Result<()>,
    failed: impl FnOnce(String, Option<String>, Vec<String>) -> Error,
) -> Result<()> {
    let progress = RefCell::new(Build::begin(image));
    let built = turning(&progress, work(&progress)).await;
    let progress = progress.into_inner();
    match built {
        Ok(()) => {
            progress.done();
            Ok(())
        }
        Err(Error::Engine { message, .. }) => {
            let (step, output) = progress.failed();
            Err(failed(message, step, output))
        }
        Err(error) => Err(error),
    }
}

impl<'a> Build<'a> {
    pub fn is_live(&self) -> bool {
        self.live.is_terminal()
    }

    pub fn begin(image: &'a str) -> Self {
        let live = Live::new();
        if !live.is_terminal() {
            say_plainly(&format!("building image {image}"));
        }
        Self { image, step: None, lines: VecDeque::new(), unfinished: String::new(), turn: 0, live }
    }

    /// What the builder prints, in pieces.
    pub fn tell(&mut self, text: &str) {
        self.unfinished.push_str(text);
        while let Some(end) = self.unfinished.find('\n') {
            let line: String = self.unfinished.drain(..=end).collect();
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        let line = printable(line);
        if let Some(step) = line.strip_prefix("Step ") {
            // `2/5 : RUN make`, where wharf's labels count as steps.
            let number = step.split('/').next().unwrap_or(step);
            self.step = Some(step.split_once(" : ").map_or(step.to_owned(), |(_, what)| format!("{number}: {what}")));
        }
        if !self.live.is_terminal() && !line.is_empty() {
            say_plainly(&line);
        }
        if line.is_empty() || NOISE.iter().any(|noise| line.starts_with(noise)) {
            return;
        }
        self.lines.push_back(line);
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// To be called while nothing is told as well: it shows that somebody is at work.
    pub fn tick(&mut self) {
        self.turn += 1;
        let spinner = SPINNER[self.turn % SPINNER.len()];
        let head = match &self.step {
            Some(step) => format!("{spinner} step {step}"),
            None => format!("{spinner} building image {}", self.image),
        };
        let mut lines: Vec<String> = self.lines.iter().rev().take(SHOWN).map(|line| format!("  {line}")).collect();
        lines.push(head);
        lines.reverse();
        self.live.draw(|| lines);
    }

    pub fn done(mut self) {
        self.live.clear();
        if !self.live.is_terminal() {
            say_plainly(&format!("built image {}", self.image));
        }
    }

    /// The step that it failed in, and what was printed last.
    pub fn failed(mut self) -> (Option<String>, Vec<String>) {
        if !self.unfinished.is_empty() {
            let rest = std::mem::take(&mut self.unfinished);
            self.line(&rest);
        }
        let step = self.step.map(|step| match step.split_once(": ") {
            Some((number, what)) => format!("{number} (`{what}`)"),
            None => step,
        });
        (step, self.lines.into())
    }
}

/// As the last of what a line was drawn over with, and nothing that a terminal obeys.
fn printable(line: &str) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    let last = plain.trim_end().rsplit('\r').next().unwrap_or_default();
    last.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_obeyed_by_nobody() {
        let mut build = Build::begin("x");
        for piece in [
            "Step 1/2 : FROM a\n ---> 0123\nStep 2/2 ",
            ": RUN make\n",
            " ---> Running in 9\nab",
            "c\n\x1b[31mred\x1b[0m\x07\t!\n",
            "1%\r50%\r",
        ] {
            build.tell(piece);
        }
        let (step, output) = build.failed();
        assert_eq!(step.unwrap(), "2 (`RUN make`)");
        assert_eq!(output, ["abc", "red !", "50%"]);
    }

    #[test]
    fn the_last_lines_are_kept() {
        let mut build = Build::begin("x");
        (0..100).for_each(|i| build.tell(&format!("{i}\n")));
        assert_eq!(build.failed(), (None, (90..100).map(|i| i.to_string()).collect()));
    }
}
