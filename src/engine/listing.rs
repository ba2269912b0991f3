//! The list of all containers.
//!
//! The answer is read into what wharf wants of it: with bollard's models, which hold all of it, half of the time that wharf
//! takes beside the engine's would go into that.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::{Engine, label};
use crate::error::{Error, Result};
use crate::model::{ContainerName, State};
use crate::project::Project;

/// Two patterns of which every name matches one. Engines before 29 look at one container after the other, some 60 µs each:
/// asked for two halves at once, they take little more than half as long. Our names end with a digit of a hash.
const HALVES: [&str; 2] = ["[0-7]$", "[^0-7]$"];

/// A container as the list of all shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: ContainerName,
    pub project: Project,
    /// The id of the user who made it; of older ones nobody knows.
    pub user: Option<u32>,
    pub state: State,
    pub image: String,
    /// The digest that the image's name stood for when the container was made.
    pub image_id: Option<String>,
    /// Whether the name still stands for it. The engine lists the name as long as it does, and the digest from then on.
    pub has_current_image: bool,
    /// The configuration that it was made with, as its label holds it.
    pub effective: Option<String>,
    /// The hash of the Dockerfile that its image was built from.
    pub dockerfile: Option<String>,
    /// Those by which the host leads into it, while it runs.
    pub ports: Vec<Published>,
    /// RFC 3339
    pub created_at: String,
}

impl Listed {
    /// Whether a user has made it. What was made before wharf noted that is everybody's.
    pub fn is_of(&self, user: u32) -> bool {
        self.user.is_none_or(|maker| maker == user)
    }
}

/// A port of the host that leads to one of the container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    pub container: u16,
    /// `tcp`, `udp` or `sctp`
    pub protocol: String,
    pub address: String,
    pub host: u16,
}

/// As docker's own client has it.
impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}->{}/{}", self.address, self.host, self.container, self.protocol)
    }
}

/// What the engine lists.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary<'a> {
    #[serde(borrow, default)]
    names: Vec<Text<'a>>,
    #[serde(borrow, default)]
    image: Option<Text<'a>>,
    #[serde(borrow, default)]
    state: Option<Text<'a>>,
    /// Seconds since the epoch.
    #[serde(default)]
    created: i64,
    #[serde(borrow, default)]
    labels: Labels<'a>,
    #[serde(borrow, default)]
    ports: Vec<Port<'a>>,
}

/// The fields are called as the constants in [`label`].
#[derive(Debug, Default, Deserialize)]
struct Labels<'a> {
    #[serde(borrow, default, rename = "wharf.project")]
    project: Option<Text<'a>>,
    #[serde(borrow, default, rename = "wharf.user")]
    user: Option<Text<'a>>,
    #[serde(borrow, default, rename = "wharf.image")]
    image: Option<Text<'a>>,
    #[serde(borrow, default, rename = "wharf.image_id")]
    image_id: Option<Text<'a>>,
    #[serde(borrow, default, rename = "wharf.effective")]
    effective: Option<Text<'a>>,
    #[serde(borrow, default, rename = "wharf.dockerfile")]
    dockerfile: Option<Text<'a>>,
    #[serde(borrow, default, rename = "wharf.created_at")]
    created_at: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Port<'a> {
    #[serde(borrow, default, rename = "IP")]
    address: Option<Text<'a>>,
    #[serde(rename = "PrivatePort")]
    private: u16,
    #[serde(default, rename = "PublicPort")]
    public: Option<u16>,
    #[serde(borrow, default, rename = "Type")]
    kind: Option<Text<'a>>,
}

/// Borrowed where nothing in it is escaped, which serde sees to only where it is a field of its own.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        text.0.into_owned()
    }
}

impl Engine {
    /// Every container with wharf's label, stopped ones too, by name.
    pub async fn containers(&self) -> Result<Vec<Listed>> {
        let (mut containers, others) = tokio::try_join!(self.half(HALVES[0]), self.half(HALVES[1]))?;
        containers.extend(others);
        if containers.is_empty() {
            // Patterns are not in the API's description, and an engine may take them literally.
            containers = self.listed(&serde_json::json!({ "label": [label::OURS] })).await?;
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    async fn half(&self, names: &str) -> Result<Vec<Listed>> {
        self.listed(&serde_json::json!({ "label": [label::OURS], "name": [names] })).await
    }

    async fn listed(&self, filters: &serde_json::Value) -> Result<Vec<Listed>> {
        Ok(parse(&self.list(filters).await?)?.into_iter().filter_map(Summary::listed).collect())
    }

    /// Containers to throw away that were made before `age` ago and do not run: whoever made them was killed over it.
    pub async fn stranded_containers(&self, age: Duration, of: Option<u32>) -> Result<Vec<String>> {
        let labels = [label::OURS, &format!("{}=true", label::THROW_AWAY)];
        self.older_than(age, of, &serde_json::json!({ "label": labels }), |state| !state.is_up()).await
    }

    /// Containers that were made before `age` ago to put files into volumes: whoever made them was killed over it.
    pub async fn stranded_fillers(&self, age: Duration, of: Option<u32>) -> Result<Vec<String>> {
        let created = |state| state == State::Created;
        let names = self.older_than(age, of, &serde_json::json!({ "label": [label::OURS] }), created).await?;
        Ok(names.into_iter().filter(|name| name.ends_with("-filler") || name.ends_with("-helper")).collect())
    }

    /// The names of the containers in one of these states that were made before `age` ago. The engine is not asked for states:
    /// each knows others, and refuses those that it does not know.
    async fn older_than(
        &self,
        age: Duration,
        of: Option<u32>,
        filters: &serde_json::Value,
        is_meant: impl Fn(State) -> bool,
    ) -> Result<Vec<String>> {
        let answer = self.list(filters).await?;
        let now = jiff::Timestamp::now().as_second();
        let is_old = |found: &Summary| now.saturating_sub(found.created).unsigned_abs() > age.as_secs();
        let is_theirs = |found: &Summary| is_of(of, found.labels.user.as_deref());
        let is_one = |found: &Summary| found.state().is_some_and(&is_meant) && is_old(found) && is_theirs(found);
        let names = parse(&answer)?.into_iter().filter(is_one).filter_map(|found| found.names.into_iter().next());
        Ok(names.map(|name| name.trim_start_matches('/').to_owned()).collect())
    }

    async fn list(&self, filters: &serde_json::Value) -> Result<Bytes> {
        let path = format!("/containers/json?all=true&filters={}", escape(&filters.to_string()));
        self.get(super::LOOK, "list containers", &path).await
    }
}

impl Summary<'_> {
    fn state(&self) -> Option<State> {
        self.state.as_deref().and_then(State::parse)
    }

    /// A container that carries our labels under another name is not one that wharf made.
    fn listed(self) -> Option<Listed> {
        let project = Project::from_label(self.labels.project.as_deref()?);
        let name = project.container_name();
        if !self.names.iter().any(|given| given.trim_start_matches('/') == name.as_str()) {
            return None;
        }
        Some(Listed {
            state: self.state().unwrap_or(State::Dead),
            has_current_image: self.image.is_some() && self.image == self.labels.image,
            image: self.labels.image.or(self.image).map(String::from).unwrap_or_default(),
            image_id: self.labels.image_id.map(String::from),
            effective: self.labels.effective.map(String::from),
            dockerfile: self.labels.dockerfile.map(String::from),
            ports: self.ports.iter().filter_map(Port::published).collect(),
            created_at: self.labels.created_at.map(String::from).unwrap_or_default(),
            user: self.labels.user.and_then(|user| user.parse().ok()),
            name,
            project,
        })
    }
}

impl Port<'_> {
    fn published(&self) -> Option<Published> {
        Some(Published {
            container: self.private,
            protocol: self.kind.as_deref().unwrap_or("tcp").to_owned(),
            address: self.address.as_deref().unwrap_or("0.0.0.0").to_owned(),
            host: self.public?,
        })
    }
}

fn parse(answer: &[u8]) -> Result<Vec<Summary<'_>>> {
    // All of it at once, or each text in it would be looked through on its own.
    let text = std::str::from_utf8(answer).map_err(|error| unreadable(&error))?;
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

fn unreadable(error: &impl fmt::Display) -> Error {
    let message = format!("its answer does not read as a list: {error}");
    Error::Engine { action: "list containers".to_owned(), message, status: None }
}

/// Whether what has this label is of this user, or of whom it may be where none is named. What was made before there was such a
/// label is everybody's.
pub(super) fn is_of(user: Option<u32>, label: Option<&str>) -> bool {
    user.zip(label).is_none_or(|(user, label)| label == user.to_string())
}

/// For a query: every byte but letters and digits as `%20`.
pub(super) fn escape(text: &str) -> String {
    let escape = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_lists() {
        let name = Project::from_label("/srv/api").container_name();
        let answer = format!(
            r#"[{{"Id":"1","Names":["/{name}"],"Image":"sha256:9","ImageID":"sha256:9","Created":1700000000,"State":"running",
                "Status":"Up 2 hours","HostConfig":{{"NetworkMode":"default"}},"Mounts":[],
                "Labels":{{"wharf":"true","wharf.project":"/srv/api","wharf.image":"rust","other":"gr\u00f6\u00dfe"}},
                "Ports":[{{"IP":"127.0.0.1","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}},{{"PrivatePort":443,"Type":"tcp"}}]}},
               {{"Id":"2","Names":["/foreign"],"Labels":{{"wharf.project":"/srv/api"}}}},
               {{"Id":"3"}}]"#
        );
        let listed: Vec<Listed> = parse(answer.as_bytes()).unwrap().into_iter().filter_map(Summary::listed).collect();
        let published = Published { container: 80, protocol: "tcp".to_owned(), address: "127.0.0.1".to_owned(), host: 8080 };
        assert_eq!(published.to_string(), "127.0.0.1:8080->80/tcp");
        assert_eq!(
            listed,
            [Listed {
                name,
                project: Project::from_label("/srv/api"),
                state: State::Running,
                image: "rust".to_owned(),
                image_id: None,
                has_current_image: false,
                effective: None,
                dockerfile: None,
                ports: vec![published],
                created_at: String::new(),
                user: None,
            }]
        );
        assert!(parse(b"{}").is_err());
        assert!(parse(b"[{\"Id\":\"\xff\"}]").is_err());
    }

    #[test]
    fn every_name_is_in_one_half() {
        let halves = HALVES.map(|half| regex_lite::Regex::new(half).unwrap());
        let ours = ('0'..='9').chain('a'..='f').map(|digit| format!("wharf-api-2efae591043{digit}"));
        let others = ["wharf-api-2efae5910433-next", "wharf-api-2efae5910433-aside", "x_", "y."].map(str::to_owned);
        for name in ours.chain(others) {
            assert_eq!(halves.iter().filter(|half| half.is_match(&name)).count(), 1, "{name}");
        }
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escape(r#"{"a":["b=c d"]}"#), "%7B%22a%22%3A%5B%22b%3Dc%20d%22%5D%7D");
    }
}
