//! Secrets of the Kafka client: what they are called, where they come from, and that nothing ever shows one.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// How the keys of secrets end: passwords, keys, and what holds one among other things.
const SECRET_ENDS: [&str; 6] = ["password", "passphrase", "secret", "key.pem", "jaas.config", "oauthbearer.config"];
/// How a value begins that names a variable of the environment, or a file, that holds it.
const VARIABLE: &str = "env:";
const FILE: &str = "file:";
/// Largest file that holds a value, or properties, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A value that is given to the client and shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a value secret.
    #[must_use]
    pub const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the client alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Secret {
    /// Says nothing of the value, not even how long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Whether a property of the client is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    SECRET_ENDS.iter().any(|end| key.ends_with(end))
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin<'a> {
    Literal(&'a str),
    Variable(&'a str),
    File(&'a Path),
}

impl<'a> Origin<'a> {
    pub(super) fn of(value: &'a str) -> Self {
        match (value.strip_prefix(VARIABLE), value.strip_prefix(FILE)) {
            (Some(name), _) => Self::Variable(name),
            (None, Some(path)) => Self::File(Path::new(path)),
            (None, None) => Self::Literal(value),
        }
    }

    /// The value, or why there is none; the reason doesn't show it. Of a file's value the last end of line is no part.
    pub(super) fn value(self, variable: impl Fn(&str) -> Option<OsString>) -> Result<String, String> {
        match self {
            Self::Literal(value) => Ok(value.to_owned()),
            Self::Variable(name) => {
                let value = variable(name).ok_or_else(|| format!("the environment has no variable {name}: set it"))?;
                value.into_string().map_err(|_| format!("the environment's variable {name} isn't UTF-8"))
            }
            Self::File(path) => {
                let text = read(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
                let value = text.strip_suffix('\n').unwrap_or(&text);
                Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
            }
        }
    }
}

/// A small text file.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "[secret] [secret] [secret]");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn secrets_are_told_by_their_keys() {
        for key in ["sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"]
        {
            assert!(is_secret(key), "{key}");
        }
        for key in ["sasl.username", "ssl.ca.pem", "ssl.certificate.pem", "ssl.key.location", "security.protocol"] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn values_come_from_where_they_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let variable = |name: &str| (name == "PASSWORD").then(|| "from-env".into());
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = Origin::of(text).value(variable);
            match expected {
                Ok(value) => assert_eq!(found.as_deref(), Ok(value), "{text}"),
                Err(told) => assert!(found.as_ref().is_err_and(|error| error.contains(told)), "{text}: {found:?}"),
            }
        };
        check("hunter2", Ok("hunter2"));
        check("env:PASSWORD", Ok("from-env"));
        check("env:OTHER", Err("the environment has no variable OTHER: set it"));
        let file = format!("file:{}", path.display());
        check(&file, Err("password can't be read"));
        for (content, expected) in [("a b\n", "a b"), ("a b\r\n", "a b"), ("a\n\n", "a\n"), (" a", " a")] {
            std::fs::write(&path, content).unwrap();
            check(&file, Ok(expected));
        }
        std::fs::write(&path, "x".repeat(70_000)).unwrap();
        check(&file, Err("it has more than 65536 bytes"));
    }
}
