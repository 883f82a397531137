//! The binary as a process of its own: started, asked for its metrics, killed, stopped.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A `badgewatch run`; killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it by a command that is or becomes the binary, with variables of the environment; what it says goes to
    /// `log`, one JSON object a line.
    pub(crate) fn start(mut command: Command, arguments: &[&str], log: &Path, variables: &[(&str, &str)]) -> Self {
        let child = command
            .args(["run", "--http", "127.0.0.1:0", "--log-format", "json"])
            .args(arguments)
            .env("RUST_LOG", "info")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log: log.to_owned() }
    }

    /// What it has logged so far, as text.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A metric's value, of all its labels together; none while it doesn't serve.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let metrics = self.get("/metrics")?;
        let of = |line: &str| line.strip_prefix(name)?.strip_prefix([' ', '{'])?.rsplit(' ').next()?.parse::<f64>().ok();
        metrics.lines().filter_map(of).reduce(|sum, value| sum + value)
    }

    /// The answer to an HTTP request; none before it listens.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let address = self.address()?;
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Some(answer)
    }

    /// SIGKILL, as the machine's end would be.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; yields the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Where it serves, once it has said so.
    fn address(&self) -> Option<String> {
        let said = self.said();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.filter_map(|line| line["fields"]["address"].as_str().map(str::to_owned)).next()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}
