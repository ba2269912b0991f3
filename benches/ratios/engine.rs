//! The floor: requests by hand over the engine's socket, with nothing between.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Result;
use crate::terminal::Attached;

/// Longer than anything that is asked for takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Engine {
    pub socket: PathBuf,
}

/// A program to run in a container, with a terminal.
#[derive(Debug, Clone)]
pub struct Exec {
    /// `NAME=value`
    pub environment: Vec<String>,
    pub command: Vec<String>,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Engine {
    /// `DOCKER_HOST`, or the usual socket.
    pub fn find() -> Result<Self> {
        let host = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
        let host = host.unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
        let socket =
            host.strip_prefix("unix://").ok_or_else(|| format!("`{host}` is not a unix socket, and others have no floor"))?;
        Ok(Self { socket: socket.into() })
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", path, Some(body))
    }

    /// Removes a container or a volume, if it is there.
    pub fn delete(&self, path: &str) -> Result<()> {
        let response = self.request("DELETE", path, None)?;
        if response.status == 404 { Ok(()) } else { response.json(path).map(drop) }
    }

    /// One request over a connection of its own; the answer as it came.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Response> {
        let mut connection = self.connect()?;
        connection.send(method, path, body, "")?;
        connection.receive()
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.request(method, path, body)?.json(path)
    }

    /// Starts a container; one that runs is fine.
    pub fn start(&self, container: &str) -> Result<()> {
        self.post(&format!("/containers/{container}/start"), &Value::Null).map(drop)
    }

    pub fn stop(&self, container: &str) -> Result<()> {
        self.post(&format!("/containers/{container}/stop"), &Value::Null).map(drop)
    }

    /// Runs a program with a terminal, and takes over the connection: two requests over one connection.
    pub fn attach(&self, container: &str, exec: &Exec) -> Result<Attached> {
        let started = Instant::now();
        let mut connection = self.connect()?;
        let body = json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": true,
            "Env": exec.environment, "Cmd": exec.command,
        });
        let id = connection.create_exec(container, &body)?;
        let start = json!({ "Detach": false, "Tty": true });
        connection.send("POST", &format!("/exec/{id}/start"), Some(&start), "Connection: Upgrade\r\nUpgrade: tcp\r\n")?;
        let response = connection.receive()?;
        if response.status != 101 {
            return Err(format!("the engine did not start the exec: {}", String::from_utf8_lossy(&response.body)).into());
        }
        let ahead = connection.stream.buffer().to_owned();
        Ok(Attached::over(connection.stream.into_inner(), ahead, started))
    }

    /// What a program without a terminal prints.
    pub fn output(&self, container: &str, command: &[String]) -> Result<String> {
        let mut connection = self.connect()?;
        let id = connection.create_exec(container, &json!({ "AttachStdout": true, "Cmd": command }))?;
        connection.send("POST", &format!("/exec/{id}/start"), Some(&json!({ "Detach": false, "Tty": false })), "")?;
        let response = connection.receive()?;
        // Frames: a stream's number, three zeros, the length, the bytes.
        let mut rest = response.body.as_slice();
        let mut printed = Vec::new();
        while let Some((header, after)) = rest.split_first_chunk::<8>() {
            let [.., a, b, c, d] = *header;
            let length = usize::try_from(u32::from_be_bytes([a, b, c, d]))?.min(after.len());
            printed.extend_from_slice(&after[..length]);
            rest = &after[length..];
        }
        Ok(String::from_utf8(printed)?)
    }

    fn connect(&self) -> Result<Connection> {
        let stream =
            UnixStream::connect(&self.socket).map_err(|error| format!("no engine at `{}`: {error}", self.socket.display()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection { stream: BufReader::with_capacity(64 * 1024, stream) })
    }
}

impl Response {
    fn json(self, path: &str) -> Result<Value> {
        let text = String::from_utf8_lossy(&self.body);
        match self.status {
            // Done, and done before.
            204 | 304 => Ok(Value::Null),
            200..300 => Ok(serde_json::from_str(&text).unwrap_or_default()),
            status => Err(format!("the engine said {status} to `{path}`: {}", text.trim()).into()),
        }
    }
}

struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    fn create_exec(&mut self, container: &str, body: &Value) -> Result<String> {
        let path = format!("/containers/{container}/exec");
        self.send("POST", &path, Some(body), "")?;
        let created = self.receive()?.json(&path)?;
        Ok(created["Id"].as_str().ok_or("the engine gave the exec no id")?.to_owned())
    }

    fn send(&mut self, method: &str, path: &str, body: Option<&Value>, headers: &str) -> Result<()> {
        let body = body.filter(|body| !body.is_null()).map(Value::to_string).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: docker\r\n{headers}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        Ok(self.stream.get_mut().write_all(request.as_bytes())?)
    }

    fn receive(&mut self) -> Result<Response> {
        let status_line = self.line()?;
        let status: u16 =
            status_line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or("the engine does not speak HTTP")?;
        let (mut length, mut is_chunked) = (None, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = Some(value.parse::<u64>()?),
                Some(("transfer-encoding", "chunked")) => is_chunked = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = Vec::new();
        match (status, length) {
            (101 | 204 | 304, _) => {}
            (_, Some(length)) => drop((&mut self.stream).take(length).read_to_end(&mut body)?),
            _ if is_chunked => self.chunks(&mut body)?,
            // As long as the connection: an exec's output.
            _ => drop(self.stream.read_to_end(&mut body)?),
        }
        Ok(Response { status, body })
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let length = u64::from_str_radix(&self.line()?, 16)?;
            (&mut self.stream).take(length).read_to_end(body)?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

/// A query parameter's value.
pub fn query(value: &Value) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.to_string().bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
