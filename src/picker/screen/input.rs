//! What keys and the mouse make of the screen.

use std::rc::Rc;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, MouseButton, MouseEventKind};
use ratatui::layout::Position;

use super::super::keys::{self, Action, Move, Order};
use super::super::prompt::{Edit, Prompt};
use super::super::row::Standing;
use super::{Choice, Effect, Mode, Screen};
use crate::model::SessionName;

/// Two clicks within this are one double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(500);
/// How many lines of a log one turn of the wheel moves.
const WHEEL: usize = 3;

impl Screen {
    pub fn on_event(&mut self, event: Event) -> Option<Effect> {
        match event {
            Event::Key(key) => self.on_order(keys::order(key)),
            Event::Paste(text) => {
                self.type_text(&text);
                None
            }
            Event::Mouse(mouse) => {
                let at = Position::new(mouse.column, mouse.row);
                match mouse.kind {
                    MouseEventKind::ScrollUp => self.wheel(Move::Up),
                    MouseEventKind::ScrollDown => self.wheel(Move::Down),
                    MouseEventKind::Down(MouseButton::Left) => return self.click(at, Instant::now()),
                    _ => {}
                }
                None
            }
            _ => None,
        }
    }

    fn on_order(&mut self, order: Order) -> Option<Effect> {
        if order != Order::Nothing {
            self.message = None;
        }
        match &mut self.mode {
            Mode::List => self.on_list(order),
            Mode::Help => {
                if order != Order::Nothing {
                    self.mode = Mode::List;
                }
                None
            }
            Mode::Name(prompt, choice) => match order {
                Order::Cancel => self.leave_mode(),
                Order::Open => match prompt.text().parse::<SessionName>() {
                    Ok(name) => {
                        let choice = Choice { session: Some(name), ..choice.clone() };
                        self.mode = Mode::List;
                        Some(Effect::Open(choice))
                    }
                    Err(error) => self.fail(error.to_string()),
                },
                Order::Type(c) => self.type_text(c.encode_utf8(&mut [0; 4])),
                Order::Help => self.type_text("?"),
                Order::Edit(edit) => {
                    prompt.edit(edit);
                    None
                }
                _ => None,
            },
            Mode::Confirm(action, choice) => {
                let effect = matches!(order, Order::Type('y' | 'Y')).then(|| Effect::Do(*action, choice.clone()));
                if order != Order::Nothing {
                    self.mode = Mode::List;
                }
                effect
            }
            Mode::Log { .. } => match order {
                Order::Move(to) => self.scroll(to, 1),
                Order::Cancel | Order::Open | Order::Type('q') => self.leave_mode(),
                _ => None,
            },
        }
    }

    fn on_list(&mut self, order: Order) -> Option<Effect> {
        match order {
            Order::Type(c) => self.type_text(c.encode_utf8(&mut [0; 4])),
            Order::Edit(edit) => self.edit(edit),
            Order::Move(to) => self.select(to),
            Order::Cancel => Some(Effect::Leave),
            Order::Help => {
                self.mode = Mode::Help;
                None
            }
            Order::Open => match self.choice() {
                Some(choice) if self.busy.is_none() => Some(Effect::Open(choice)),
                Some(_) => self.still_busy(),
                None => Some(Effect::OpenNothing),
            },
            Order::Do(action) => self.on_action(action),
            Order::Nothing => None,
        }
    }

    fn on_action(&mut self, action: Action) -> Option<Effect> {
        let row = Rc::clone(self.row()?);
        let choice = self.choice_of(&row);
        if self.busy.is_some() {
            return self.still_busy();
        }
        let is_of_container = matches!(action, Action::Stop | Action::Restart | Action::Fresh | Action::Remove | Action::Logs);
        if is_of_container && self.has_heard_engine && row.standing == Standing::New {
            return self.fail(format!("{} has no container", row.name));
        }
        let has_sessions = !self.catalog.known(&row).all_sessions().is_empty();
        match action {
            Action::NewSession => {
                self.mode = Mode::Name(Prompt::default(), choice);
                None
            }
            Action::Kill | Action::RunAgain if choice.session.is_none() || !has_sessions => {
                self.fail(format!("{} has no session that runs", row.name))
            }
            Action::Fresh | Action::Remove | Action::Kill => self.confirm(action, choice),
            Action::Stop | Action::Restart if has_sessions => self.confirm(action, choice),
            _ => Some(Effect::Do(action, choice)),
        }
    }

    fn confirm(&mut self, action: Action, choice: Choice) -> Option<Effect> {
        self.mode = Mode::Confirm(action, choice);
        None
    }

    fn leave_mode(&mut self) -> Option<Effect> {
        self.mode = Mode::List;
        None
    }

    fn still_busy(&mut self) -> Option<Effect> {
        self.fail("one thing at a time".to_owned())
    }

    fn type_text(&mut self, text: &str) -> Option<Effect> {
        if let Mode::Name(prompt, _) = &mut self.mode {
            prompt.insert(text);
        } else {
            self.prompt.insert(text);
            self.search_again();
        }
        None
    }

    fn edit(&mut self, edit: Edit) -> Option<Effect> {
        let before = self.prompt.text().len();
        self.prompt.edit(edit);
        if self.prompt.text().len() != before {
            self.search_again();
        }
        None
    }

    fn search_again(&mut self) {
        self.finder.search_again(self.prompt.text(), self.catalog.rows());
        (self.selected, self.has_moved) = (0, false);
        self.keep_in_view();
    }

    fn select(&mut self, to: Move) -> Option<Effect> {
        let last = self.finder.matches().len().saturating_sub(1);
        let page = usize::from(self.areas().list.height).max(1);
        self.selected = moved(self.selected, to, last, page);
        self.has_moved = true;
        self.keep_in_view();
        None
    }

    pub fn scroll(&mut self, to: Move, lines: usize) -> Option<Effect> {
        let page = usize::from(self.areas().body().height).max(1);
        if let Mode::Log { lines: all, top, .. } = &mut self.mode {
            let last = all.len().saturating_sub(page);
            (0..lines).for_each(|_| *top = moved(*top, to, last, page));
        }
        None
    }

    fn wheel(&mut self, to: Move) {
        match self.mode {
            Mode::Log { .. } => drop(self.scroll(to, WHEEL)),
            Mode::List => drop(self.select(to)),
            _ => {}
        }
    }

    fn click(&mut self, at: Position, now: Instant) -> Option<Effect> {
        let list = self.areas().list;
        if !matches!(self.mode, Mode::List) || !list.contains(at) {
            return None;
        }
        let place = self.top + usize::from(at.y - list.y);
        if place >= self.finder.matches().len() {
            return None;
        }
        let before = self.last_click.replace((now, place));
        self.selected = place;
        self.has_moved = true;
        let is_double = before.is_some_and(|(then, same)| same == place && now.duration_since(then) < DOUBLE_CLICK);
        if is_double { self.on_order(Order::Open) } else { None }
    }
}

fn moved(from: usize, to: Move, last: usize, page: usize) -> usize {
    match to {
        Move::Up => from.saturating_sub(1),
        Move::Down => from + 1,
        Move::PageUp => from.saturating_sub(page),
        Move::PageDown => from + page,
        Move::First => 0,
        Move::Last => last,
    }
    .min(last)
}
