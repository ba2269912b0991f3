//! What is on the screen. It does nothing itself: what is to be done is an effect.

mod input;

use std::rc::Rc;
use std::time::Instant;

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::areas::Areas;
use super::catalog::Catalog;
use super::finder::Finder;
use super::keys::Action;
use super::preview::{self, Preview, Subject};
use super::prompt::Prompt;
use super::row::Row;
use crate::model::SessionName;
use crate::project::Project;
use crate::quote;

/// What was picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub project: Project,
    /// The one at hand where `None`.
    pub session: Option<SessionName>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Leave,
    /// To open what is not there.
    OpenNothing,
    Open(Choice),
    Do(Action, Choice),
}

/// What the keys are for.
#[derive(Debug)]
pub enum Mode {
    List,
    Help,
    /// Asks for a new session's name.
    Name(Prompt, Choice),
    /// Asks whether to do it.
    Confirm(Action, Choice),
    Log {
        title: String,
        lines: Vec<Line<'static>>,
        top: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Told,
    Failed,
}

pub struct Screen {
    pub catalog: Catalog,
    pub finder: Finder,
    pub prompt: Prompt,
    pub mode: Mode,
    /// The place of the selected row among those that match.
    pub selected: usize,
    /// Of the rows that match, the first that is shown.
    pub top: usize,
    /// Whether somebody has chosen the selected row, and it is not merely the best.
    has_moved: bool,
    pub message: Option<(Tone, String)>,
    /// What is being done.
    pub busy: Option<String>,
    /// Why the engine says nothing.
    pub trouble: Option<String>,
    /// What is wrong with the configuration, so that no project is looked for.
    pub misconfigured: Option<String>,
    /// Whether the engine has said which containers there are.
    pub has_heard_engine: bool,
    pub shown: Option<(Subject, Preview)>,
    /// Whether there are to be no colours.
    pub is_plain: bool,
    area: Rect,
    last_click: Option<(Instant, usize)>,
}

impl Screen {
    pub fn new(catalog: Catalog, query: &str) -> Self {
        let mut screen = Self {
            catalog,
            finder: Finder::new(),
            prompt: Prompt::new(query),
            mode: Mode::List,
            selected: 0,
            top: 0,
            has_moved: false,
            message: None,
            busy: None,
            trouble: None,
            misconfigured: None,
            has_heard_engine: false,
            shown: None,
            is_plain: false,
            area: Rect::default(),
            last_click: None,
        };
        screen.refresh();
        screen
    }

    /// After news of projects: what was chosen stays selected, wherever it is now.
    pub fn refresh(&mut self) {
        let before = self.choice();
        self.catalog.refresh();
        self.finder.search(self.prompt.text(), self.catalog.rows());
        if let (true, Some(before)) = (self.has_moved, before) {
            let place_of = |same: &dyn Fn(&Choice) -> bool| {
                self.finder.matches().iter().position(|found| same(&self.choice_of(&self.catalog.rows()[found.row])))
            };
            let place = place_of(&|choice| *choice == before).or_else(|| place_of(&|choice| choice.project == before.project));
            self.selected = place.unwrap_or(self.selected);
        }
        self.keep_in_view();
    }

    pub fn resize(&mut self, area: Rect) {
        self.area = area;
        self.keep_in_view();
    }

    pub fn areas(&self) -> Areas {
        Areas::of(self.area)
    }

    pub fn row(&self) -> Option<&Rc<Row>> {
        self.finder.matches().get(self.selected).map(|found| &self.catalog.rows()[found.row])
    }

    fn choice_of(&self, row: &Row) -> Choice {
        Choice { project: self.catalog.known(row).project.clone(), session: row.session.clone() }
    }

    fn choice(&self) -> Option<Choice> {
        self.row().map(|row| self.choice_of(row))
    }

    /// What the preview has to be of.
    pub fn subject(&self) -> Option<Subject> {
        let row = self.row()?;
        let known = self.catalog.known(row);
        Some(Subject {
            project: known.project.clone(),
            session: row.session.clone(),
            pane: known.pane(row.session.as_ref()).map(|open| open.pane.clone()),
            container: known.container.clone(),
            standing: row.standing,
            last_used: known.last_used,
            is_gone: self.catalog.is_gone(&known.project),
        })
    }

    /// Takes a preview; whether that changes what is shown.
    pub fn show(&mut self, subject: Subject, preview: Preview) -> bool {
        let shown = Some((subject, preview));
        let changes = self.shown != shown;
        self.shown = shown;
        changes
    }

    /// What can be shown of another row until its preview comes.
    pub fn show_what_is_known(&mut self, subject: &Subject, now: jiff::Timestamp) {
        let is_same = self.shown.as_ref().is_some_and(|(shown, _)| {
            (&shown.project, &shown.session) == (&subject.project, &subject.session) && shown.standing == subject.standing
        });
        if !is_same {
            self.shown = Some((subject.clone(), preview::known(subject, now)));
        }
    }

    pub fn fail(&mut self, message: String) -> Option<Effect> {
        self.message = Some((Tone::Failed, message));
        None
    }

    pub fn tell(&mut self, message: String) {
        self.message = Some((Tone::Told, message));
    }

    /// What a question is about.
    pub fn question(&self) -> Option<String> {
        let Mode::Confirm(action, choice) = &self.mode else { return None };
        let name = quote::visible(choice.project.short_name());
        if let (Action::Kill, Some(session)) = (action, &choice.session) {
            return Some(format!("End session {session} of {name}? [y/N]"));
        }
        let what = match action {
            Action::Stop => format!("Stop the container of {name}"),
            Action::Restart => format!("Restart the container of {name}"),
            Action::Fresh => format!("Recreate the container of {name}, and keep its volumes"),
            _ => format!("Remove the container of {name}, and keep its volumes"),
        };
        let row = self.catalog.rows().iter().find(|row| self.catalog.known(row).project == choice.project);
        let sessions = row.map(|row| self.catalog.known(row).all_sessions()).unwrap_or_default();
        let sessions: Vec<&str> = sessions.iter().map(SessionName::as_str).collect();
        let ends = if sessions.is_empty() { String::new() } else { format!("; it ends {}", sessions.join(", ")) };
        Some(format!("{what}{ends}? [y/N]"))
    }

    fn keep_in_view(&mut self) {
        let count = self.finder.matches().len();
        self.selected = self.selected.min(count.saturating_sub(1));
        let page = usize::from(self.areas().list.height).max(1);
        self.top = self.top.clamp((self.selected + 1).saturating_sub(page), self.selected).min(count.saturating_sub(page));
    }
}
