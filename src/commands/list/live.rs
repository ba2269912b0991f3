//! `wharf list --watch`: the list, drawn again whenever something has changed, until a key ends it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::super::watch::{Happened, Listener, follow};
use super::table::{Look, table};
use super::{EMPTY, Found, Row, find};
use crate::connection::signals::Signals;
use crate::connection::terminal::{Terminal, USUAL_SIZE};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;

/// Into the alternate screen, without a cursor; and back.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";
/// `2 minutes ago` is another time a minute later.
const MINUTE: Duration = Duration::from_secs(60);
/// What happens together is drawn together.
const BREATH: Duration = Duration::from_millis(20);

const CONTROL_C: u8 = 3;

pub async fn run(context: &Context) -> Result<ExitCode> {
    if !Terminal::is_present() {
        return Err(Error::Needs { verb: "list --watch", needs: "terminal to draw on" });
    }
    let failed = |source| Error::io("draw the list", source);
    let mut signals = Signals::listen().map_err(failed)?;
    let mut first = find(context).await?;
    let terminal = Terminal::take().map_err(failed)?;
    let mut screen = Screen { terminal, shown: String::new() };
    screen.terminal.write_all(ENTER).await.map_err(failed)?;
    let ended = tokio::select! {
        ended = draw(&mut screen, &mut first, context) => ended,
        _ = signals.recv() => Ok(()),
    };
    // The terminal may be what went away.
    let _ = screen.terminal.write_all(LEAVE).await;
    ended.map(|()| ExitCode::SUCCESS).map_err(failed)
}

async fn draw(screen: &mut Screen, now: &mut Found, context: &Context) -> io::Result<()> {
    let (happened, mut from_engine) = mpsc::unbounded_channel();
    let is_looked_at = Cell::new(true);
    let mut engine = pin!(follow(context, &is_looked_at, happened));
    let (heard, mut from_relays) = mpsc::unbounded_channel();
    let mut listeners: BTreeMap<String, Listener> = BTreeMap::new();
    let mut resized = signal(SignalKind::window_change())?;
    let mut trouble: Option<String> = None;
    let mut keys = [0; 64];
    loop {
        listeners.retain(|name, _| now.rows.iter().any(|row| row.container == *name && row.state.can_attach()));
        for row in now.rows.iter().filter(|row| row.state.can_attach()) {
            if let (false, Ok(name)) = (listeners.contains_key(&row.container), row.container.parse()) {
                let listener = Listener::start(&name, 0, false, heard.clone(), &context.state_dir);
                listeners.insert(row.container.clone(), listener);
            }
        }
        screen.show(&now.rows, trouble.as_deref().or(now.silent.as_deref()), context).await?;
        let has_changed = tokio::select! {
            read = screen.terminal.read(&mut keys) => match keys.get(..read?) {
                Some([]) | None => return Ok(()),
                Some(pressed) if pressed.iter().any(|key| matches!(key, b'q' | &CONTROL_C)) => return Ok(()),
                Some(_) => false,
            },
            Some(happened) = from_engine.recv() => match happened {
                Happened::Gone => {
                    trouble = Some("no engine".to_owned());
                    false
                }
                Happened::Back | Happened::To(_) => true,
            },
            Some(_) = from_relays.recv() => true,
            _ = resized.recv() => false,
            () = tokio::time::sleep(MINUTE) => false,
            never = &mut engine => match never {},
        };
        if has_changed {
            tokio::time::sleep(BREATH).await;
            while from_relays.try_recv().is_ok() {}
            match find(context).await {
                Ok(found) => (*now, trouble) = (found, None),
                Err(error) => trouble = Some(error.to_string()),
            }
        }
    }
}

struct Screen {
    terminal: Terminal,
    shown: String,
}

impl Screen {
    /// Writes over what is there, so that nothing flickers, and nothing where nothing has changed.
    async fn show(&mut self, rows: &[Row], trouble: Option<&str>, context: &Context) -> io::Result<()> {
        let size = Terminal::size().unwrap_or(USUAL_SIZE);
        let (width, height) = (usize::from(size.columns), usize::from(size.rows));
        let look = Look { width: Some(width), home: context.home.as_deref(), now: Timestamp::now() };
        let text = if rows.is_empty() { EMPTY.to_owned() } else { table(rows, look) };
        let lines = text.lines().chain(trouble.map(|_| "")).chain(trouble).take(height);
        let lines: Vec<String> = lines.map(|line| format!("{line}\x1b[K")).collect();
        let drawn = format!("\x1b[H{}\x1b[J", lines.join("\r\n"));
        let drawn = if print::has_colour() { drawn } else { without_colours(&drawn) };
        if drawn != self.shown {
            self.terminal.write_all(drawn.as_bytes()).await?;
            self.shown = drawn;
        }
        Ok(())
    }
}

/// Keeps what moves the cursor.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(after.len());
        if after.get(end..=end) != Some("m") {
            plain.push_str("\x1b[");
            plain.push_str(after.get(..=end).unwrap_or_default());
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_go() {
        assert_eq!(without_colours("\x1b[H\x1b[1mNAME\x1b[0m\x1b[K\r\n\x1b[J"), "\x1b[HNAME\x1b[K\r\n\x1b[J");
    }
}
