//! What a pane of the host's tmux holds of the session that it shows, beside the screen: the session's history, so that copy
//! mode, searches and plugins of the person's own find it there, and what runs in the session.
//!
//! The client inside draws on the alternate screen, where nothing scrolls into a history. So what has left the session's
//! screen is printed on the other one, in a scroll region of two lines at the top, from where all of it goes into the history.
//! Then the alternate screen is drawn again as it is.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::SinkExt;
use tokio::io::{AsyncBufReadExt, AsyncWrite, BufReader, Split};
use tokio::process::{Child, ChildStdout};
use tokio::time::{Instant, timeout};
use tokio_util::codec::FramedWrite;

use super::foreground;
use super::styled::Styled;
use crate::guest::server;
use crate::protocol::{CHUNK, Codec, Follow, Foreground, Frame};

/// How long a session has to be quiet before anything is asked, and how long at most where it never is.
const QUIET: Duration = Duration::from_millis(50);
const AT_MOST: Duration = Duration::from_secs(1);
/// How long a program has to be in the foreground before it is told of. The host notes it as options, for which its tmux draws all
/// anew: not for each short command, and not while that shows something.
const STEADY: Duration = Duration::from_millis(300);
/// How much is printed of a session that goes on printing: more would hold it up.
const BUSY_ROWS: u32 = 500;
/// What a client has to print before it can have scrolled without a line feed.
const REDRAW: usize = 256;
const ERASE: &[u8] = b"\x1b[J";
/// How long tmux may take to say what it holds.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often it is asked anew where the session has scrolled meanwhile.
const TRIES: usize = 3;

const FORMAT: &str =
    "#{history_size} #{window_width} #{window_height} #{scroll_region_upper} #{scroll_region_lower} #{pane_pid} #{alternate_on}";

/// Follows one session for one terminal.
pub struct Follower {
    follow: Follow,
    /// The name that tmux has for the client on this terminal.
    client: String,
    heard: Option<Heard>,
    /// Whether what was printed last ends between two sequences.
    is_between: bool,
    /// What the terminal's history holds; `None` before the first look.
    held: Option<Held>,
    told: Option<Foreground>,
    /// What runs now, and since when, where that is another.
    seen: Option<(Foreground, Instant)>,
    /// Whether anything was printed on the other screen.
    has_printed: bool,
}

/// What the session has printed since the last look.
#[derive(Debug, Clone, Copy)]
struct Heard {
    since: Instant,
    last: Instant,
    may_have_scrolled: bool,
}

impl Heard {
    /// When to look.
    fn due(self) -> Instant {
        (self.last + QUIET).min(self.since + AT_MOST)
    }
}

/// How the session's pane is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    /// Of its history.
    rows: u32,
    /// The last of them: where it is another one than it was, the history was cleared meanwhile, or has lost its beginning.
    last: Vec<u8>,
    size: (u32, u32),
    /// The scroll region, from the first to the last line.
    region: (u32, u32),
    process: i32,
    fills_screen: bool,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Push {
    Nothing,
    /// So many rows more.
    Rows(u32),
    /// Everything anew, so many rows of it.
    All(u32),
}

impl Follower {
    pub fn new(follow: Follow, client: String) -> Self {
        let heard = Heard { since: Instant::now(), last: Instant::now(), may_have_scrolled: true };
        Self { follow, client, heard: Some(heard), is_between: true, held: None, told: None, seen: None, has_printed: false }
    }

    /// Takes note of what the client inside has printed.
    pub fn hear(&mut self, printed: &[u8]) {
        let now = Instant::now();
        // A line feed, or all is erased from somewhere on, as by whoever clears the history.
        let changes = |bytes: &[u8]| bytes.contains(&b'\n') || bytes.windows(ERASE.len()).any(|bytes| bytes == ERASE);
        let may_have_scrolled = printed.len() >= REDRAW || changes(printed);
        let heard = self.heard.get_or_insert(Heard { since: now, last: now, may_have_scrolled });
        heard.last = now;
        heard.may_have_scrolled |= may_have_scrolled;
        if let Some(start) = printed.iter().rposition(|&b| b == 0x1b) {
            self.is_between = is_complete(&printed[start..]);
        }
    }

    /// When to look.
    pub fn due(&self) -> Option<Instant> {
        let heard = self.heard.map(Heard::due);
        let steady = self.seen.as_ref().map(|(_, since)| *since + STEADY);
        heard.into_iter().chain(steady).min()
    }

    /// Looks at the session, and tells the client what has changed. An error means that the client has gone.
    pub async fn look<W: AsyncWrite + Unpin>(&mut self, writer: &mut FramedWrite<W, Codec>) -> io::Result<()> {
        let Some(heard) = self.heard.take_if(|heard| heard.due() <= Instant::now()) else {
            return self.tell(writer).await;
        };
        let is_quiet = heard.last.elapsed() >= QUIET;
        if !is_quiet && !self.is_between {
            self.heard = Some(Heard { since: Instant::now(), ..heard });
            return Ok(());
        }
        if (heard.may_have_scrolled || self.held.is_none())
            && let Some(now) = self.ask().await
        {
            match push(self.held.as_ref(), &now, &self.follow) {
                Push::Rows(rows) | Push::All(rows) if !is_quiet && rows > BUSY_ROWS => {
                    self.heard = Some(Heard { since: Instant::now(), ..heard });
                }
                Push::Nothing => self.held = Some(now),
                push => self.print(push, writer).await?,
            }
        }
        self.tell(writer).await
    }

    /// Tells what runs in the foreground, where that is another than it was and stays so.
    async fn tell<W: AsyncWrite + Unpin>(&mut self, writer: &mut FramedWrite<W, Codec>) -> io::Result<()> {
        let now = self.held.as_ref().and_then(|held| foreground::of(held.process, held.fills_screen));
        let Some(now) = now.filter(|now| self.told.as_ref() != Some(now)) else {
            self.seen = None;
            return Ok(());
        };
        let since = self.seen.take().filter(|(seen, _)| *seen == now).map_or_else(Instant::now, |(_, since)| since);
        if self.told.is_some() && since.elapsed() < STEADY {
            self.seen = Some((now, since));
            return Ok(());
        }
        self.told = Some(now.clone());
        writer.send(Frame::Foreground(now)).await
    }

    fn pane(&self) -> String {
        format!("={}:", self.follow.session)
    }

    async fn ask(&self) -> Option<Held> {
        let pane = self.pane();
        let question = [&["display-message", "-p", "-t", &pane, FORMAT, ";"][..], &row(&pane, "-1")].concat();
        let printed = server::ask(&question).await.ok()??;
        let (state, last) = printed.split_once('\n')?;
        Held::parse(state, last.trim_end_matches('\n').as_bytes())
    }

    async fn print<W: AsyncWrite + Unpin>(&mut self, mut push: Push, writer: &mut FramedWrite<W, Codec>) -> io::Result<()> {
        for _ in 0..TRIES {
            let (Push::Rows(rows) | Push::All(rows)) = push else { break };
            let Ok(Ok(Some(mut captured))) = timeout(PATIENCE, self.capture(rows)).await else { return Ok(()) };
            let now = captured.held;
            let all = Push::All(now.rows.min(self.follow.lines));
            let next = self::push(self.held.as_ref(), &now, &self.follow);
            let goes_on = |held: &Held| held.rows == 0 || captured.before == held.last;
            if next != push && all != push {
                push = next;
                continue;
            }
            if matches!(push, Push::Rows(_)) && !self.held.as_ref().is_some_and(goes_on) {
                push = all;
                continue;
            }
            let mut out = BytesMut::new();
            self.begin(push, &mut out);
            let mut styled = Styled::default();
            // What has begun is brought to its end, whatever becomes of the tmux that is asked.
            while let Ok(Ok(Some(line))) = timeout(PATIENCE, captured.lines.next_segment()).await {
                styled.line(&line, &mut out);
                if out.len() >= CHUNK {
                    writer.send(Frame::Output(out.split().freeze())).await?;
                }
            }
            out.extend_from_slice(b"\n\x1b[r\x1b[?1049h");
            for (row, line) in captured.screen.iter().enumerate() {
                out.extend_from_slice(format!("\x1b[{};1H", row + 1).as_bytes());
                out.extend_from_slice(line);
            }
            let (first, last) = now.region;
            out.extend_from_slice(format!("\x1b[{};{}r\x1b8", first + 1, last + 1).as_bytes());
            writer.send(Frame::Output(out.freeze())).await?;
            let _ = timeout(PATIENCE, captured.child.wait()).await;
            self.held = Some(now);
            return Ok(());
        }
        // It scrolls all the time.
        self.heard = Some(Heard { since: Instant::now(), last: Instant::now(), may_have_scrolled: true });
        Ok(())
    }

    /// Goes to the other screen. What is there of a shell's goes into its history first.
    fn begin(&mut self, push: Push, out: &mut BytesMut) {
        out.extend_from_slice(b"\x1b7\x1b[?1049l\x1b[0m\x1b(B\x1b)0\x0f\x1b[r");
        let is_first = !std::mem::replace(&mut self.has_printed, true);
        if is_first && !self.follow.is_own {
            out.extend_from_slice(b"\x1b[2J");
        }
        out.extend_from_slice(b"\x1b[1;2r\x1b[1;1H\x1b[2K\x1b[2;1H\x1b[2K\x1b[1;1H");
        if matches!(push, Push::All(_)) && (self.follow.is_own || !is_first) {
            out.extend_from_slice(b"\x1b[3J");
        }
    }

    /// What the session holds, in one question. The client inside draws everything again after it.
    async fn capture(&self, rows: u32) -> io::Result<Option<Captured>> {
        let (pane, first, before) = (self.pane(), format!("-{rows}"), format!("-{}", rows + 1));
        let mut command = vec!["display-message", "-p", "-t", &pane, FORMAT];
        for row in [row(&pane, "-1"), row(&pane, &before), ["capture-pane", "-pe", "-t", &pane].to_vec()] {
            command.push(";");
            command.extend(row);
        }
        if rows > 0 {
            command.extend([";", "capture-pane", "-peJ", "-t", &pane, "-S", &first, "-E", "-1"]);
        }
        command.extend([";", "refresh-client", "-t", &self.client]);
        let mut command = server::command(&command).map_err(|_| io::ErrorKind::NotFound)?;
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).split(b'\n');
        let (Some(state), Some(last), Some(before)) =
            (lines.next_segment().await?, lines.next_segment().await?, lines.next_segment().await?)
        else {
            return Ok(None);
        };
        let Some(held) = Held::parse(&String::from_utf8_lossy(&state), &last) else { return Ok(None) };
        let mut screen = Vec::new();
        for _ in 0..held.size.1 {
            let Some(line) = lines.next_segment().await? else { return Ok(None) };
            screen.push(line);
        }
        Ok(Some(Captured { held, before, screen, lines, child }))
    }
}

/// What tmux holds of a session, as it comes.
struct Captured {
    held: Held,
    /// The row above the history that was asked for.
    before: Vec<u8>,
    screen: Vec<Vec<u8>>,
    /// The history.
    lines: Split<BufReader<ChildStdout>>,
    child: Child,
}

impl Held {
    fn parse(state: &str, last: &[u8]) -> Option<Self> {
        let mut words = state.split_ascii_whitespace();
        let mut number = || words.next()?.parse().ok();
        let (rows, size, region) = (number()?, (number()?, number()?), (number()?, number()?));
        let (process, fills_screen) = (words.next()?.parse().ok()?, words.next()? == "1");
        Some(Self { rows, last: last.to_vec(), size, region, process, fills_screen })
    }
}

/// What it takes for a terminal whose history is `before` to hold what there is `now`.
fn push(before: Option<&Held>, now: &Held, follow: &Follow) -> Push {
    let all = Push::All(now.rows.min(follow.lines));
    match before {
        None if now.rows == 0 => Push::Nothing,
        None => all,
        Some(before) if before.size.0 == now.size.0 && before.rows <= now.rows => match now.rows - before.rows {
            0 if now.rows == 0 || before.last == now.last => Push::Nothing,
            0 => all,
            more if more >= follow.lines && follow.is_own => all,
            more => Push::Rows(more.min(follow.lines)),
        },
        // Somebody has cleared it.
        Some(_) if now.rows == 0 => all,
        // Lines are wrapped anew, or have come back to the screen, or are gone at the top. What else a shell's terminal holds
        // must not go with them.
        Some(_) if follow.is_own => all,
        Some(_) => Push::Nothing,
    }
}

/// The command that prints one row of the history, counted from its end.
fn row<'a>(pane: &'a str, number: &'a str) -> Vec<&'a str> {
    vec!["capture-pane", "-p", "-t", pane, "-S", number, "-E", number]
}

/// Whether a sequence that begins here has come to its end.
fn is_complete(sequence: &[u8]) -> bool {
    match sequence {
        [_, b'[', rest @ ..] => rest.iter().any(|b| (0x40..=0x7e).contains(b)),
        // Their other end is a sequence of its own.
        [_, b']' | b'P' | b'k' | b'_' | b'^', rest @ ..] => rest.contains(&7),
        [_, b'(' | b')' | b'#' | b'%', rest @ ..] => !rest.is_empty(),
        [_, _, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(rows: u32, columns: u32) -> Held {
        Held { rows, last: b"last".to_vec(), size: (columns, 24), region: (0, 23), process: 7, fills_screen: false }
    }

    #[test]
    fn only_what_is_new_is_printed() {
        let follow = |is_own| Follow { session: "main".parse().unwrap(), lines: 100, is_own };
        for (before, now, own, shells) in [
            (None, held(0, 80), Push::Nothing, Push::Nothing),
            (None, held(7, 80), Push::All(7), Push::All(7)),
            (None, held(500, 80), Push::All(100), Push::All(100)),
            (Some(held(7, 80)), held(7, 80), Push::Nothing, Push::Nothing),
            (Some(held(7, 80)), held(9, 80), Push::Rows(2), Push::Rows(2)),
            (Some(held(7, 80)), held(900, 80), Push::All(100), Push::Rows(100)),
            (Some(held(7, 80)), held(0, 80), Push::All(0), Push::All(0)),
            (Some(held(7, 80)), held(5, 80), Push::All(5), Push::Nothing),
            (Some(held(7, 80)), held(14, 40), Push::All(14), Push::Nothing),
        ] {
            assert_eq!(push(before.as_ref(), &now, &follow(true)), own, "{before:?} {now:?}");
            assert_eq!(push(before.as_ref(), &now, &follow(false)), shells, "{before:?} {now:?}");
        }
        // Cleared, and filled again as far.
        let other = Held { last: b"other".to_vec(), ..held(7, 80) };
        assert_eq!(push(Some(&held(7, 80)), &other, &follow(true)), Push::All(7));
    }

    #[test]
    fn sequences_end_somewhere() {
        for (sequence, is_whole) in [
            (&b"\x1b"[..], false),
            (b"\x1b[", false),
            (b"\x1b[1;2", false),
            (b"\x1b[1;2Habc", true),
            (b"\x1b]0;title", false),
            (b"\x1b]0;title\x07", true),
            (b"\x1b\\", true),
            (b"\x1b(", false),
            (b"\x1b(B", true),
            (b"\x1b7", true),
        ] {
            assert_eq!(is_complete(sequence), is_whole, "{}", sequence.escape_ascii());
        }
    }

    #[test]
    fn what_tmux_says_of_a_pane() {
        assert_eq!(Held::parse("7 80 24 0 23 7 0", b"last"), Some(held(7, 80)));
        for text in ["", "7 80 24", "7 80 24 0 x 7 0"] {
            assert_eq!(Held::parse(text, b""), None, "{text}");
        }
    }
}
