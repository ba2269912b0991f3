//! Features of a registry, by the OCI's distribution specification.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::Agent;
use ureq::Body;
use ureq::http::Response;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// How long an answer may take, and a whole feature.
const ANSWER: Duration = Duration::from_secs(15);
const WHOLE: Duration = Duration::from_secs(120);
/// No feature is larger.
const MOST_BYTES: u64 = 256 << 20;

pub struct Client {
    agent: Agent,
    credentials: HashMap<String, (String, String)>,
    /// By host and repository.
    tokens: HashMap<String, String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The registry says this.
    Refused(String),
    /// Nobody answers: what was fetched before still counts.
    Unreachable(String),
}

impl Failure {
    pub fn message(self) -> String {
        match self {
            Self::Refused(message) | Self::Unreachable(message) => message,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Manifest {
    layers: Vec<LayerDescription>,
}

#[derive(Debug, Deserialize)]
struct LayerDescription {
    digest: String,
}

#[derive(Debug, Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

impl Client {
    pub fn new(credentials: HashMap<String, (String, String)>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(ANSWER))
            .timeout_recv_response(Some(ANSWER))
            .timeout_global(Some(WHOLE))
            .build();
        Self { agent: config.into(), credentials, tokens: HashMap::new() }
    }

    /// The digest of the content that a version of a feature has.
    pub fn digest(&mut self, host: &str, repository: &str, version: &str) -> Result<String, Failure> {
        let bytes = self.get(host, repository, &format!("manifests/{version}"), MANIFEST)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::Refused(format!("{host} has something else by that name: {error}")))?;
        let layer = manifest.layers.into_iter().next();
        layer.map(|layer| layer.digest).ok_or_else(|| Failure::Refused(format!("{host} has nothing in it")))
    }

    pub fn blob(&mut self, host: &str, repository: &str, digest: &str) -> Result<Vec<u8>, Failure> {
        self.get(host, repository, &format!("blobs/{digest}"), "*/*")
    }

    /// What is at an address.
    pub fn download(&self, address: &str) -> Result<Vec<u8>, Failure> {
        let response = self.agent.get(address).call().map_err(|error| unreachable(address, &error))?;
        match response.status().as_u16() {
            200 => read(response),
            status => Err(Failure::Refused(refusal(address, status))),
        }
    }

    fn get(&mut self, host: &str, repository: &str, what: &str, accept: &str) -> Result<Vec<u8>, Failure> {
        let address = format!("{}://{host}/v2/{repository}/{what}", scheme(host));
        let of = format!("{host}/{repository}");
        let ask = |authorization: Option<&String>| {
            let request = self.agent.get(&address).header("Accept", accept);
            let request = if let Some(said) = authorization { request.header("Authorization", said) } else { request };
            request.call().map_err(|error| unreachable(host, &error))
        };
        let mut response = ask(self.tokens.get(&of))?;
        if response.status().as_u16() == 401 {
            let challenge = response.headers().get("www-authenticate").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let authorization = self.authorization(host, challenge.as_deref().unwrap_or_default())?;
            response = ask(Some(&authorization))?;
            self.tokens.insert(of, authorization);
        }
        match response.status().as_u16() {
            200 => read(response),
            status => Err(Failure::Refused(refusal(host, status))),
        }
    }

    /// What a challenge wants: `Basic`, or a token of its realm.
    fn authorization(&self, host: &str, challenge: &str) -> Result<String, Failure> {
        let basic =
            self.credentials.get(host).map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        let Some(fields) = challenge.strip_prefix("Bearer ") else {
            return basic.ok_or_else(|| Failure::Refused(refusal(host, 401)));
        };
        let field = |name: &str| {
            let start = fields.find(&format!("{name}=\""))? + name.len() + 2;
            fields[start..].split('"').next()
        };
        let realm = field("realm").ok_or_else(|| Failure::Refused(refusal(host, 401)))?;
        let mut request = self.agent.get(realm);
        for name in ["service", "scope"] {
            if let Some(value) = field(name) {
                request = request.query(name, value);
            }
        }
        if let Some(basic) = &basic {
            request = request.header("Authorization", basic);
        }
        let response = request.call().map_err(|error| unreachable(host, &error))?;
        if response.status().as_u16() != 200 {
            return Err(Failure::Refused(refusal(host, response.status().as_u16())));
        }
        let token: Token = serde_json::from_slice(&read(response)?).map_err(|_| Failure::Refused(refusal(host, 401)))?;
        Ok(format!("Bearer {}", token.token))
    }
}

/// As docker has it, a registry of this machine's own may do without TLS.
fn scheme(host: &str) -> &'static str {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name == "localhost" || name.starts_with("127.") { "http" } else { "https" }
}

fn read(mut response: Response<Body>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = response.body_mut().as_reader().take(MOST_BYTES + 1).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() as u64 > MOST_BYTES => Err(Failure::Refused("it is too large".to_owned())),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Unreachable(format!("it did not arrive whole: {error}"))),
    }
}

fn unreachable(host: &str, error: &ureq::Error) -> Failure {
    Failure::Unreachable(format!("{host} does not answer: {error}"))
}

fn refusal(host: &str, status: u16) -> String {
    match status {
        401 | 403 => format!("{host} refuses it ({status}): `docker login {host}`"),
        404 => format!("{host} has none of that name and version (404)"),
        429 => format!("{host} has been asked too often (429): try again later"),
        _ => format!("{host} answers {status}"),
    }
}
