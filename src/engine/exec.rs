//! Programs that run in a container beside its first process.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{ResizeExecOptions, StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::StreamExt;

use super::upgrade::{self, AttachStream, UpgradeError};
use super::{Answer, Engine, LOOK, one_line};
use crate::error::{Error, Result};
use crate::project::ContainerName;
use crate::session::Size;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecId(String);

/// What to run, and how.
#[derive(Debug, Default)]
pub struct ExecSpec {
    pub command: Vec<String>,
    /// `NAME=value`, on top of the container's own environment.
    pub environment: Vec<String>,
    /// The container's own working directory where `None`.
    pub working_dir: Option<String>,
}

/// What a program printed, and its exit code.
#[derive(Debug)]
pub struct Output {
    pub exit_code: i64,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Engine {
    /// Prepares a program with a terminal of its own; [`Engine::start_exec`] runs it.
    pub async fn create_exec(&self, container: &ContainerName, spec: ExecSpec, size: Option<Size>) -> Result<ExecId> {
        self.prepare(container, spec, true, size).await
    }

    /// Runs the program; the stream is its terminal, byte for byte.
    pub async fn start_exec(&self, container: &ContainerName, exec: &ExecId) -> Result<AttachStream> {
        let start = upgrade::start_exec(&self.endpoint.socket, &exec.0, true);
        let action = || format!("start a program in container `{container}`");
        match tokio::time::timeout(super::WORK, start).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(UpgradeError::Refused { status, message })) => {
                Err(Error::Engine { action: action(), message: one_line(&message), status: Some(status.as_u16()) })
            }
            Ok(Err(UpgradeError::Io(error))) => {
                Err(Error::Engine { action: action(), message: one_line(&error.to_string()), status: None })
            }
            Err(_) => Err(Error::EngineSlow { action: action(), within: super::WORK }),
        }
    }

    /// Tells the program's terminal its size. The first call can come before the process exists, which the engine
    /// reports as an error, so it is tried again: a size that is lost is wrong until the next change.
    pub async fn resize_exec(&self, exec: &ExecId, size: Size) {
        let options = || ResizeExecOptions { width: size.columns, height: size.rows };
        for _ in 0..500 {
            match tokio::time::timeout(LOOK, self.docker.resize_exec(&exec.0, options())).await {
                Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                Ok(Ok(())) | Err(_) => return,
            }
        }
    }

    /// The exit code of a program whose stream has ended. The engine notes it a moment after the stream's end.
    pub async fn exec_exit_code(&self, exec: &ExecId) -> Result<i64> {
        let action = "see how a program ended";
        for _ in 0..50 {
            let inspected = self.look(action, self.docker.inspect_exec(&exec.0)).await?;
            if let (Some(false), Some(code)) = (inspected.running, inspected.exit_code) {
                return Ok(code);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Error::EngineSilent { socket: self.endpoint.socket.clone(), within: Duration::from_millis(500) })
    }

    /// Runs a program to its end, without a terminal or input.
    pub async fn output(&self, container: &ContainerName, spec: ExecSpec) -> Result<Output> {
        let exec = self.prepare(container, spec, false, None).await?;
        let action = format!("run a program in container `{container}`");
        let started = self.work(action.clone(), self.docker.start_exec(&exec.0, None::<StartExecOptions>)).await?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let StartExecResults::Attached { mut output, .. } = started {
            let drain = async {
                while let Some(chunk) = output.next().await {
                    match chunk? {
                        LogOutput::StdErr { message } => stderr.extend_from_slice(&message),
                        other => stdout.extend_from_slice(&other.into_bytes()),
                    }
                }
                Answer::Ok(())
            };
            self.work(action, drain).await?;
        }
        let exit_code = self.exec_exit_code(&exec).await?;
        Ok(Output { exit_code, stdout, stderr })
    }

    async fn prepare(&self, container: &ContainerName, spec: ExecSpec, tty: bool, size: Option<Size>) -> Result<ExecId> {
        let config = ExecConfig {
            attach_stdin: Some(tty),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(tty),
            // Engines before API 1.42 take no notice, and learn it by the first resize.
            console_size: size.map(|size| vec![size.rows.into(), size.columns.into()]),
            env: Some(spec.environment),
            cmd: Some(spec.command),
            working_dir: spec.working_dir,
            ..ExecConfig::default()
        };
        let created = self.docker.create_exec(container.as_str(), config);
        let exec = self.work(format!("prepare a program in container `{container}`"), created).await?;
        Ok(ExecId(exec.id))
    }
}
