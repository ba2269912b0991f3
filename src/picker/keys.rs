//! Which key does what.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::prompt::Edit;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Type(char),
    Edit(Edit),
    Move(Move),
    Open,
    Cancel,
    Help,
    Do(Action),
    Nothing,
}

/// Within a list or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

/// What can be done with what is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    NewSession,
    Split,
    Stop,
    Restart,
    Fresh,
    Remove,
    Logs,
    Copy,
    Kill,
    RunAgain,
}

/// What the help shows.
pub const HELP: [(&str, &str); 17] = [
    ("Enter", "open"),
    ("M-n", "open a new session"),
    ("M-s", "open in a split"),
    ("M-x", "stop"),
    ("M-r", "restart"),
    ("M-f", "recreate (fresh) and open"),
    ("M-d", "remove the container"),
    ("M-k", "end the session"),
    ("M-a", "run its command again"),
    ("M-l", "log"),
    ("M-c", "copy the container's name"),
    ("Up Down C-p C-n C-k C-j", "select"),
    ("PgUp PgDn Home End", "select far"),
    ("C-u C-w C-a C-e", "edit the line"),
    ("click, double click, wheel", "select, open, move"),
    ("? F1", "keys"),
    ("Esc C-c C-g", "leave"),
];

/// As in fzf, and as in tmux where the two have the same.
pub fn order(key: KeyEvent) -> Order {
    if key.kind == KeyEventKind::Release {
        return Order::Nothing;
    }
    let KeyEvent { code, modifiers, .. } = key;
    if modifiers.contains(KeyModifiers::CONTROL) {
        return control(code);
    }
    if modifiers.contains(KeyModifiers::ALT) {
        return alt(code);
    }
    match code {
        KeyCode::Enter => Order::Open,
        KeyCode::Esc => Order::Cancel,
        KeyCode::F(1) | KeyCode::Char('?') => Order::Help,
        KeyCode::Char(c) => Order::Type(c),
        KeyCode::Up | KeyCode::BackTab => Order::Move(Move::Up),
        KeyCode::Down | KeyCode::Tab => Order::Move(Move::Down),
        KeyCode::PageUp => Order::Move(Move::PageUp),
        KeyCode::PageDown => Order::Move(Move::PageDown),
        KeyCode::Home => Order::Move(Move::First),
        KeyCode::End => Order::Move(Move::Last),
        KeyCode::Left => Order::Edit(Edit::Left),
        KeyCode::Right => Order::Edit(Edit::Right),
        KeyCode::Backspace => Order::Edit(Edit::DeleteBefore),
        KeyCode::Delete => Order::Edit(Edit::DeleteAt),
        _ => Order::Nothing,
    }
}

fn control(code: KeyCode) -> Order {
    match code {
        KeyCode::Char('n' | 'j') => Order::Move(Move::Down),
        KeyCode::Char('p' | 'k') => Order::Move(Move::Up),
        KeyCode::Char('u') => Order::Edit(Edit::DeleteToStart),
        KeyCode::Char('w') => Order::Edit(Edit::DeleteWord),
        KeyCode::Char('a') => Order::Edit(Edit::Start),
        KeyCode::Char('e') => Order::Edit(Edit::End),
        KeyCode::Char('b') => Order::Edit(Edit::Left),
        KeyCode::Char('f') => Order::Edit(Edit::Right),
        KeyCode::Char('d') => Order::Edit(Edit::DeleteAt),
        KeyCode::Char('h') => Order::Edit(Edit::DeleteBefore),
        KeyCode::Char('m') => Order::Open,
        KeyCode::Char('c' | 'g') => Order::Cancel,
        _ => Order::Nothing,
    }
}

fn alt(code: KeyCode) -> Order {
    match code {
        KeyCode::Char('n') => Order::Do(Action::NewSession),
        KeyCode::Char('s') => Order::Do(Action::Split),
        KeyCode::Char('x') => Order::Do(Action::Stop),
        KeyCode::Char('r') => Order::Do(Action::Restart),
        KeyCode::Char('f') => Order::Do(Action::Fresh),
        KeyCode::Char('d') => Order::Do(Action::Remove),
        KeyCode::Char('k') => Order::Do(Action::Kill),
        KeyCode::Char('a') => Order::Do(Action::RunAgain),
        KeyCode::Char('l') => Order::Do(Action::Logs),
        KeyCode::Char('c') => Order::Do(Action::Copy),
        KeyCode::Backspace => Order::Edit(Edit::DeleteWord),
        _ => Order::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_fzf_and_tmux() {
        let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let ctrl = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        let meta = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT);
        for (key, expected) in [
            (plain(KeyCode::Char('a')), Order::Type('a')),
            (KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT), Order::Type('A')),
            (plain(KeyCode::Char('?')), Order::Help),
            (plain(KeyCode::Enter), Order::Open),
            (plain(KeyCode::Esc), Order::Cancel),
            (ctrl('c'), Order::Cancel),
            (ctrl('g'), Order::Cancel),
            (ctrl('j'), Order::Move(Move::Down)),
            (ctrl('p'), Order::Move(Move::Up)),
            (ctrl('w'), Order::Edit(Edit::DeleteWord)),
            (meta('x'), Order::Do(Action::Stop)),
            (meta('k'), Order::Do(Action::Kill)),
            (meta('a'), Order::Do(Action::RunAgain)),
            (meta('z'), Order::Nothing),
            (ctrl('z'), Order::Nothing),
        ] {
            assert_eq!(order(key), expected, "{key:?}");
        }
    }
}
