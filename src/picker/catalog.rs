//! One list of projects and their sessions, from whatever has been heard of them so far.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use super::row::{Row, Standing};
use crate::engine::Listed;
use crate::history::History;
use crate::model::{SessionName, State};
use crate::project::Project;
use crate::tmux::OpenPane;

/// A project, and what is known of it.
#[derive(Debug)]
pub struct Known {
    pub project: Project,
    pub panes: Vec<OpenPane>,
    /// What the engine has listed.
    pub container: Option<Listed>,
    /// What the container's relay has said. It counts unless the engine says that the container does not run.
    pub sessions: Vec<SessionName>,
    /// Those of them that wait for their user.
    pub waiting: Vec<SessionName>,
    pub last_used: Option<Timestamp>,
    pub score: f64,
    /// Whether it was heard of for itself, and not only for its container.
    is_directory: bool,
    rows: Vec<Rc<Row>>,
}

impl Known {
    /// What shows a session; any of them where none is named.
    pub fn pane(&self, session: Option<&SessionName>) -> Option<&OpenPane> {
        self.panes.iter().find(|open| session.is_none_or(|session| *session == open.session))
    }

    /// The sessions that run or are shown, the usual one first.
    pub fn all_sessions(&self) -> Vec<SessionName> {
        let can_run = self.container.as_ref().is_none_or(|listed| listed.state.can_attach());
        let running = self.sessions.iter().filter(|_| can_run);
        let mut sessions: Vec<SessionName> = running.chain(self.panes.iter().map(|open| &open.session)).cloned().collect();
        sessions.sort_by(|a, b| by_name(Some(a), Some(b)));
        sessions.dedup();
        sessions
    }

    fn can_attach(&self) -> bool {
        self.container.as_ref().is_some_and(|listed| listed.state.can_attach())
    }

    pub fn standing(&self, session: Option<&SessionName>) -> Standing {
        let state = self.container.as_ref().map(|listed| listed.state);
        let can_run = state.is_none_or(State::can_attach);
        if can_run && session.is_some_and(|session| self.waiting.contains(session)) {
            return Standing::Waiting;
        }
        if self.pane(session).is_some() {
            return Standing::Open;
        }
        match state {
            None | Some(State::Running) if !self.sessions.is_empty() => Standing::Running,
            Some(State::Running) => Standing::Running,
            Some(state) => Standing::Idle(state),
            None => Standing::New,
        }
    }
}

/// The usual one comes first.
fn by_name(a: Option<&SessionName>, b: Option<&SessionName>) -> Ordering {
    let usual = SessionName::default();
    (a != Some(&usual), a).cmp(&(b != Some(&usual), b))
}

/// All of them, each once.
#[derive(Debug, Default)]
pub struct Catalog {
    known: Vec<Known>,
    places: HashMap<Project, usize>,
    /// Directories that are not there any more.
    gone: HashSet<Project>,
    home: Option<String>,
    rows: Vec<Rc<Row>>,
}

impl Catalog {
    pub fn new(home: Option<&Path>) -> Self {
        let home = home.and_then(Path::to_str).map(|home| home.trim_end_matches('/').to_owned());
        Self { home: home.filter(|home| !home.is_empty()), ..Self::default() }
    }

    /// In the order of an empty query.
    pub fn rows(&self) -> &[Rc<Row>] {
        &self.rows
    }

    pub fn known(&self, row: &Row) -> &Known {
        &self.known[row.known]
    }

    pub fn is_gone(&self, project: &Project) -> bool {
        self.gone.contains(project)
    }

    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.known.iter().map(|known| &known.project)
    }

    fn entry(&mut self, project: &Project) -> &mut Known {
        let place = *self.places.entry(project.clone()).or_insert_with(|| {
            let project = project.clone();
            self.known.push(Known {
                project,
                panes: Vec::new(),
                container: None,
                sessions: Vec::new(),
                waiting: Vec::new(),
                last_used: None,
                score: 0.0,
                is_directory: false,
                rows: Vec::new(),
            });
            self.known.len() - 1
        });
        &mut self.known[place]
    }

    pub fn add_history(&mut self, history: &History, now: Timestamp) {
        for project in history.projects() {
            let known = self.entry(project);
            known.last_used = history.last_used(project);
            known.score = history.score(project, now);
            known.is_directory = true;
        }
    }

    pub fn add_directories(&mut self, projects: &[Project]) {
        for project in projects {
            self.entry(project).is_directory = true;
            self.gone.remove(project);
        }
    }

    pub fn set_gone(&mut self, projects: Vec<Project>) {
        self.gone = projects.into_iter().collect();
    }

    pub fn set_panes(&mut self, panes: Vec<OpenPane>) {
        self.known.iter_mut().for_each(|known| known.panes.clear());
        for open in panes {
            self.entry(&open.project).panes.push(open.clone());
        }
    }

    pub fn set_containers(&mut self, containers: Vec<Listed>) {
        let had: Vec<bool> = self.known.iter_mut().map(|known| known.container.take().is_some()).collect();
        for listed in containers {
            self.entry(&listed.project).container = Some(listed.clone());
        }
        // With a container go its sessions. The relay of one that has not been listed yet may have been heard already.
        for (known, had) in self.known.iter_mut().zip(had) {
            if had && !known.can_attach() {
                known.sessions.clear();
            }
        }
    }

    /// Those whose containers run, as far as the engine has said.
    pub fn running(&self) -> Vec<Project> {
        self.known.iter().filter(|known| known.can_attach()).map(|known| known.project.clone()).collect()
    }

    pub fn set_sessions(&mut self, sessions: Vec<(Project, Vec<SessionName>)>) {
        self.known.iter_mut().for_each(|known| known.sessions.clear());
        for (project, sessions) in sessions {
            self.entry(&project).sessions = sessions;
        }
    }

    /// Which of the sessions wait for their user.
    pub fn set_waiting(&mut self, waiting: Vec<(Project, Vec<SessionName>)>) {
        self.known.iter_mut().for_each(|known| known.waiting.clear());
        for (project, waiting) in waiting {
            self.entry(&project).waiting = waiting;
        }
    }

    /// Makes the rows of what has been heard. Those that say the same as before are the same.
    pub fn refresh(&mut self) {
        let mut rows = Vec::with_capacity(self.known.len());
        let (gone, home) = (&self.gone, self.home.as_deref());
        for (place, known) in self.known.iter_mut().enumerate() {
            let is_there = known.container.is_some() || !known.panes.is_empty() || !known.sessions.is_empty();
            if !is_there && (!known.is_directory || gone.contains(&known.project)) {
                known.rows.clear();
                continue;
            }
            let sessions = known.all_sessions();
            let named: Vec<Option<&SessionName>> =
                if sessions.is_empty() { vec![None] } else { sessions.iter().map(Some).collect() };
            let fresh: Vec<Rc<Row>> = named
                .into_iter()
                .map(|session| {
                    let standing = known.standing(session);
                    let same = known.rows.iter().find(|row| row.session.as_ref() == session && row.standing == standing);
                    same.cloned().unwrap_or_else(|| Rc::new(Row::new(place, &known.project, session, standing, home)))
                })
                .collect();
            known.rows = fresh;
            rows.extend(known.rows.iter().cloned());
        }
        let known = &self.known;
        rows.sort_by(|a, b| {
            let (of_a, of_b) = (&known[a.known], &known[b.known]);
            let by_wait = (a.standing != Standing::Waiting).cmp(&(b.standing != Standing::Waiting));
            let by_use = || of_b.score.total_cmp(&of_a.score);
            let by_standing = || a.standing.rank().cmp(&b.standing.rank());
            let by_project = || of_a.project.cmp(&of_b.project);
            let by_session = || by_name(a.session.as_ref(), b.session.as_ref());
            by_wait.then_with(by_use).then_with(by_standing).then_with(by_project).then_with(by_session)
        });
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(path: &str) -> Project {
        Project::from_label(path)
    }

    fn session(name: &str) -> SessionName {
        name.parse().unwrap()
    }

    fn open(path: &str, name: &str) -> OpenPane {
        OpenPane { pane: "%1".parse().unwrap(), project: project(path), session: session(name) }
    }

    fn listed(path: &str, state: State) -> Listed {
        Listed {
            name: project(path).container_name(),
            project: project(path),
            state,
            image: "debian:13".to_owned(),
            image_id: None,
            has_current_image: true,
            effective: None,
            dockerfile: None,
            ports: Vec::new(),
            created_at: String::new(),
            user: None,
        }
    }

    fn shown(catalog: &mut Catalog) -> Vec<String> {
        catalog.refresh();
        catalog.rows().iter().map(|row| row.text()).collect()
    }

    #[test]
    fn a_project_is_there_once_however_often_it_was_heard_of() {
        let mut catalog = Catalog::new(Some(Path::new("/home/ada/")));
        catalog.add_directories(&[project("/home/ada/src/web"), project("/home/ada/src/api"), project("/home/ada/src/web")]);
        catalog.set_panes(vec![open("/home/ada/src/web", "main"), open("/home/ada/src/web", "claude")]);
        catalog.set_containers(vec![listed("/home/ada/src/web", State::Running), listed("/srv/old", State::Exited)]);
        catalog.set_sessions(vec![(project("/home/ada/src/web"), vec![session("logs"), session("main")])]);
        let expected = [
            "web main ~/src/web open",
            "web claude ~/src/web open",
            "web logs ~/src/web running",
            "old /srv/old exited",
            "api ~/src/api ",
        ];
        assert_eq!(shown(&mut catalog), expected);
        assert_eq!(catalog.projects().count(), 3);
    }

    #[test]
    fn what_is_not_heard_of_any_more_is_no_more_than_its_directory() {
        let mut catalog = Catalog::new(None);
        catalog.add_directories(&[project("/a")]);
        catalog.set_panes(vec![open("/a", "main")]);
        catalog.set_containers(vec![listed("/a", State::Running), listed("/b", State::Paused)]);
        assert_eq!(shown(&mut catalog), ["a main /a open", "b /b paused"]);
        catalog.set_panes(Vec::new());
        catalog.set_containers(vec![listed("/b", State::Exited)]);
        assert_eq!(shown(&mut catalog), ["b /b exited", "a /a "]);
        catalog.set_gone(vec![project("/a"), project("/b")]);
        assert_eq!(shown(&mut catalog), ["b /b exited"]);
        catalog.set_containers(Vec::new());
        assert_eq!(shown(&mut catalog), [""; 0]);
    }

    #[test]
    fn sessions_end_with_their_container_whenever_they_were_asked_for() {
        let mut catalog = Catalog::new(None);
        let sessions = || ["/a", "/b", "/c"].map(|path| (project(path), vec![session("main")])).to_vec();
        catalog.add_directories(&[project("/a")]);
        catalog.set_sessions(sessions());
        assert_eq!(shown(&mut catalog), ["a main /a running", "b main /b running", "c main /c running"]);
        catalog.set_containers(vec![listed("/a", State::Running), listed("/b", State::Running)]);
        assert_eq!(shown(&mut catalog), ["a main /a running", "b main /b running", "c main /c running"]);
        assert_eq!(catalog.running(), ["/a", "/b"].map(project));
        catalog.set_containers(vec![listed("/b", State::Exited)]);
        assert_eq!(shown(&mut catalog), ["c main /c running", "b /b exited", "a /a "]);
        // An answer that has taken its time.
        catalog.set_sessions(sessions());
        catalog.set_containers(vec![listed("/a", State::Exited), listed("/b", State::Exited)]);
        assert_eq!(shown(&mut catalog), ["c main /c running", "a /a exited", "b /b exited"]);
        // And is not true of the next start.
        catalog.set_containers(vec![listed("/b", State::Running)]);
        assert_eq!(shown(&mut catalog), ["b /b running", "c main /c running", "a /a "]);
    }

    #[test]
    fn what_waits_for_its_user_comes_before_all_else() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        crate::history::record(dir.path(), &project("/often"), &SessionName::default(), now);
        let mut catalog = Catalog::new(None);
        catalog.add_history(&History::read(dir.path()), now);
        let claude: SessionName = "claude".parse().unwrap();
        catalog.set_sessions(vec![(project("/api"), vec![SessionName::default(), claude.clone()])]);
        catalog.set_waiting(vec![(project("/api"), vec![claude])]);
        assert_eq!(shown(&mut catalog), ["api claude /api waiting", "often /often ", "api main /api running"]);
        catalog.set_waiting(Vec::new());
        assert_eq!(shown(&mut catalog), ["often /often ", "api main /api running", "api claude /api running"]);
    }

    #[test]
    fn what_is_used_comes_first_and_among_equals_what_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        for (path, times) in [("/often", 3), ("/once", 1)] {
            (0..times).for_each(|_| crate::history::record(dir.path(), &project(path), &SessionName::default(), now));
        }
        let mut catalog = Catalog::new(None);
        catalog.add_directories(&["/new", "/often", "/open", "/up"].map(project));
        catalog.add_history(&History::read(dir.path()), now);
        catalog.set_panes(vec![open("/open", "main")]);
        catalog.set_containers(vec![listed("/up", State::Running)]);
        assert_eq!(shown(&mut catalog), ["often /often ", "once /once ", "open main /open open", "up /up running", "new /new "]);
    }
}
