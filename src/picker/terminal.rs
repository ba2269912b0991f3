//! The terminal that the picker is on: this process's, whatever its standard streams are.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::thread;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub type Drawn = Terminal<CrosstermBackend<BufWriter<File>>>;

/// Held while the picker is shown; then the terminal is as it was.
pub struct Taken {
    pub terminal: Drawn,
    tty: File,
}

impl Taken {
    /// An error where there is no terminal.
    pub fn take() -> io::Result<Self> {
        // Standard output may be a script's.
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let terminal = Terminal::new(CrosstermBackend::new(BufWriter::new(tty.try_clone()?)))?;
        enable_raw_mode()?;
        let mut taken = Self { terminal, tty };
        execute!(taken.tty, EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = self.terminal.show_cursor();
        let _ = execute!(self.tty, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// Keys and the mouse, from a thread that ends with the process. The end of the channel is that of the terminal.
pub fn events() -> UnboundedReceiver<Event> {
    let (sender, receiver) = unbounded_channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}
