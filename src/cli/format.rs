//! A line with places for what is known of a project.

use std::str::FromStr;

use crate::model::Status;
use crate::project::Project;
use crate::quote;

/// As in `{name} is {state}`; `{{` is a brace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusFormat(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    State,
    ExitCode,
    Bells,
    Waiting,
    Drift,
    Summary,
}

const FIELDS: [(&str, Field); 7] = [
    ("name", Field::Name),
    ("state", Field::State),
    ("exit_code", Field::ExitCode),
    ("bells", Field::Bells),
    ("waiting", Field::Waiting),
    ("drift", Field::Drift),
    ("summary", Field::Summary),
];

impl StatusFormat {
    pub fn fill(&self, project: &Project, status: &Status) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(field) => field.fill(project, status),
        };
        self.0.iter().map(fill).collect()
    }
}

impl Field {
    fn fill(self, project: &Project, status: &Status) -> String {
        match self {
            Self::Name => quote::printable(project.short_name()),
            Self::State => status.condition.word().to_owned(),
            Self::ExitCode => status.condition.exit_code().map(|code| code.to_string()).unwrap_or_default(),
            Self::Bells => status.bells.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Self::Waiting => status.waiting.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Self::Drift => if status.has_drifted { "~" } else { "" }.to_owned(),
            Self::Summary => {
                let drift = if status.has_drifted { " ~" } else { "" };
                let bells = if status.bells.is_empty() { "" } else { " !" };
                let waiting = if status.waiting.is_empty() { "" } else { " ?" };
                let fill = |field: Self| field.fill(project, status);
                format!("{}{drift}{bells}{}{waiting}{}", status.condition, fill(Self::Bells), fill(Self::Waiting))
            }
        }
    }
}

impl FromStr for StatusFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            pieces.push(Piece::Text(before.to_owned()));
            if let Some(after) = after.strip_prefix('{') {
                pieces.push(Piece::Text("{".to_owned()));
                rest = after;
                continue;
            }
            let known = || FIELDS.map(|(name, _)| format!("{{{name}}}")).join(", ");
            let (name, after) = after.split_once('}').ok_or_else(|| "a `{` is not closed; `{{` is a brace".to_owned())?;
            let field = FIELDS.iter().find(|(known, _)| *known == name);
            let (_, field) = field.ok_or_else(|| format!("there is no `{{{name}}}`; there are {}", known()))?;
            pieces.push(Piece::Field(*field));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Condition;

    #[test]
    fn places_are_filled_and_all_else_stays() {
        let project = Project::from_label("/srv/a\u{1b}pi");
        let rung = Status { has_drifted: true, bells: vec!["claude".parse().unwrap()], ..Status::from(Condition::Running) };
        let exited = Status::from(Condition::Exited(3));
        for (format, status, line) in [
            ("", &rung, ""),
            ("{name} {state}", &rung, "a pi running"),
            ("{summary}", &rung, "running ~ !claude"),
            ("{summary}", &exited, "exited 3"),
            ("{{{state}}: {exit_code}{bells}{drift}", &exited, "{exited}: 3"),
        ] {
            assert_eq!(format.parse::<StatusFormat>().unwrap().fill(&project, status), line, "{format}");
        }
    }

    #[test]
    fn what_there_is_not_is_an_error() {
        for (format, error) in [
            ("{nmae}", "there is no `{nmae}`; there are {name}, {state}, {exit_code}, {bells}, {waiting}, {drift}, {summary}"),
            ("{name", "a `{` is not closed; `{{` is a brace"),
        ] {
            assert_eq!(format.parse::<StatusFormat>(), Err(error.to_owned()));
        }
    }
}
