//! A real broker of one's own, through the project's `dev/kafka` script: for integration tests.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A broker in a directory, on a free port of 127.0.0.1. It is killed when the value is dropped.
#[derive(Debug)]
pub struct DevBroker {
    script: PathBuf,
    directory: PathBuf,
    bootstrap: String,
}

impl DevBroker {
    /// Starts a broker that keeps its topics in `directory`, with the script `dev/kafka`, and waits until it serves.
    ///
    /// # Errors
    ///
    /// When it doesn't start: what the script said.
    pub fn start(script: &Path, directory: &Path) -> io::Result<Self> {
        let mut broker = Self { script: script.to_owned(), directory: directory.to_owned(), bootstrap: String::new() };
        broker.bootstrap = broker.run(&["start"], &["free"])?;
        Ok(broker)
    }

    /// Starts one with further listeners, each named as its protocol (`SSL`, `SASL_SSL`), and with what a file says of
    /// them.
    ///
    /// # Errors
    ///
    /// When it doesn't start: what the script said.
    pub fn start_with(script: &Path, directory: &Path, listeners: &[&str], properties: &Path) -> io::Result<Self> {
        let mut broker = Self { script: script.to_owned(), directory: directory.to_owned(), bootstrap: String::new() };
        let listeners = listeners.join(" ");
        let further = [("KAFKA_LISTENERS", OsStr::new(&listeners)), ("KAFKA_PROPERTIES", properties.as_os_str())];
        broker.bootstrap = broker.run_in(&["start"], &["free"], &further)?;
        Ok(broker)
    }

    /// The address of a further listener.
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub fn listener(&self, name: &str) -> io::Result<String> {
        self.run(&["status"], &[name])
    }

    /// Its address, as a client's bootstrap server.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub fn kill(&self) -> io::Result<()> {
        self.run(&["kill"], &[]).map(drop)
    }

    /// Ends it cleanly.
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub fn stop(&self) -> io::Result<()> {
        self.run(&["stop"], &[]).map(drop)
    }

    /// Starts it again, on the same port, with what it had stored.
    ///
    /// # Errors
    ///
    /// When it doesn't start.
    pub fn restart(&self) -> io::Result<()> {
        self.run(&["start"], &[]).map(drop)
    }

    fn run(&self, before: &[&str], after: &[&str]) -> io::Result<String> {
        self.run_in(before, after, &[])
    }

    fn run_in(&self, before: &[&str], after: &[&str], environment: &[(&str, &OsStr)]) -> io::Result<String> {
        let mut command = Command::new(&self.script);
        command.args(before).arg(&self.directory).args(after).envs(environment.iter().copied());
        let output = command.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{} {before:?}: {}\n{said}", self.script.display(), output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for DevBroker {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(%error, directory = %self.directory.display(), "a broker may be left running");
        }
    }
}
