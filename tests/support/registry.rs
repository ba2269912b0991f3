//! A real registry that belongs to one test, at a port of this machine's own that engines use without TLS.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::{Docker, World, wait_until};

pub struct Registry<'a> {
    world: &'a World,
    child: Child,
    port: u16,
    config: PathBuf,
}

impl<'a> Registry<'a> {
    pub fn start(world: &'a World) -> Self {
        Self::start_with(world, "")
    }

    /// One that only lets in `ada`, whose password is `s3cret`.
    pub fn start_closed(world: &'a World) -> Self {
        let passwords = world.root().join("htpasswd");
        // htpasswd -nbB ada s3cret
        fs::write(&passwords, "ada:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n").unwrap();
        Self::start_with(world, &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", passwords.display()))
    }

    fn start_with(world: &'a World, auth: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = world.root().join("registry.yml");
        let storage = world.root().join("registry");
        let text = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n{auth}",
            storage.display()
        );
        fs::write(&config, text).unwrap();
        let mut serve = world.command("docker-registry");
        serve.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = serve.spawn().expect("the package `docker-registry`, which `scripts/test` installs");
        wait_until("the registry", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { world, child, port, config: world.root().join("docker") }
    }

    /// What an image of it is called, whether it has one or not.
    pub fn name(&self, image: &str) -> String {
        format!("127.0.0.1:{}/{image}", self.port)
    }

    /// Where its host is, as `docker login` has it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Has the registry have an image of the engine's, and the engine forget that name of it.
    #[track_caller]
    pub fn push(&self, image: &str, name: &str) -> String {
        let name = self.name(name);
        fs::create_dir_all(&self.config).unwrap();
        // printf ada:s3cret | base64
        let auths = format!(r#"{{"auths":{{"{}":{{"auth":"YWRhOnMzY3JldA=="}}}}}}"#, self.host());
        fs::write(self.config.join("config.json"), auths).unwrap();
        Docker::run(["tag", image, &name]);
        let config = format!("--config={}", self.config.display());
        let pushed = Docker::output([config.as_str(), "push", &name]);
        Docker::run(["rmi", "--no-prune", &name]);
        assert!(pushed.status.success(), "docker: {}", String::from_utf8_lossy(&pushed.stderr));
        name
    }

    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A container of the world may have it still.
        Docker::remove_all_below(self.world.root());
        let ours = format!("reference={}/*", self.host());
        for image in Docker::left_over(["images", "--filter", &ours, "--format", "{{.Repository}}:{{.Tag}}"]) {
            Docker::output(["rmi", "--no-prune", &image]);
        }
    }
}
