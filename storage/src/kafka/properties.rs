//! Properties of the Kafka client, from a file and from the command line, which everybody on the machine can see.

use std::ffi::OsString;
use std::path::Path;

use ports::PortError;

use super::config::KafkaConfig;
use super::secret::{Origin, Secret, is_secret, read};

const ON_THE_COMMAND_LINE: &str = "a secret on the command line can be seen by everybody on the machine: write it into the file of \
                                   --kafka-config, or say where it is, as env:NAME or file:PATH";

impl KafkaConfig {
    /// Takes in a file of lines `key=value`. Empty lines and those that begin with `#` or `!` are skipped; blanks
    /// around keys and values are no part of them. A value `env:NAME` is the variable's of the environment,
    /// `file:PATH` the content of that file without its last end of line.
    ///
    /// # Errors
    ///
    /// When it can't be read, a line is none of these, or a key comes twice: of a line its number is told, not its
    /// content. When a variable or file isn't there.
    pub fn read_properties(&mut self, path: &Path) -> Result<(), PortError> {
        self.read_properties_with(path, &|name| std::env::var_os(name))
    }

    fn read_properties_with(&mut self, path: &Path, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<(), PortError> {
        let fail = |problem: String| PortError::Setting { key: path.display().to_string(), problem };
        let text = read(path).map_err(|error| fail(format!("it can't be read: {error}")))?;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let pair = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
            let Some((key, value)) = pair.filter(|(key, _)| !key.is_empty()) else {
                return Err(fail(format!("line {number} is no property: write e.g. security.protocol=SASL_SSL")));
            };
            if keys.contains(&key) {
                return Err(fail(format!("line {number} gives {key} again: remove one of the two")));
            }
            keys.push(key);
            let found = Origin::of(value).value(variable);
            self.set(key, found.map_err(|problem| fail(format!("line {number}, {key}: {problem}")))?);
        }
        Ok(())
    }

    /// Takes in a property from the command line, which stands before the file's. `env:NAME` and `file:PATH` are
    /// what they are in a file.
    ///
    /// # Errors
    ///
    /// When it is a secret, word for word; when a variable or file isn't there.
    pub fn set_argument(&mut self, key: &str, value: &str) -> Result<(), PortError> {
        let fail = |problem: String| PortError::Setting { key: key.to_owned(), problem };
        let origin = Origin::of(value);
        if is_secret(key) && matches!(origin, Origin::Literal(_)) {
            return Err(fail(ON_THE_COMMAND_LINE.to_owned()));
        }
        let found = origin.value(|name| std::env::var_os(name)).map_err(fail)?;
        self.set(key, found);
        Ok(())
    }

    fn set(&mut self, key: &str, value: String) {
        if is_secret(key) {
            self.secrets.insert(key.to_owned(), Secret::new(value));
        } else {
            self.properties.insert(key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<KafkaConfig, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kafka.properties");
        std::fs::write(&path, text).unwrap();
        let mut config = KafkaConfig::new("127.0.0.1:9092");
        let read = config.read_properties_with(&path, &|name| (name == "PASSWORD").then(|| "hunter2".into()));
        read.map(|()| config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_properties_reaches_the_client() {
        let text = "# ours\n! and theirs\n\nsecurity.protocol = SASL_SSL\r\nsasl.username=a=b\n sasl.password=env:PASSWORD\n";
        let config = read_text(text).unwrap();
        let client = config.consumer().unwrap();
        for (key, expected) in [("security.protocol", "SASL_SSL"), ("sasl.username", "a=b"), ("sasl.password", "hunter2")] {
            assert_eq!(client.get(key), Some(expected), "{key}");
            assert_eq!(config.producer().unwrap().get(key), Some(expected), "{key}");
            assert_eq!(config.admin().unwrap().get(key), Some(expected), "{key}");
            assert_eq!(config.member().unwrap().get(key), Some(expected), "{key}");
        }
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn wrong_lines_are_told_by_number_and_never_shown() {
        let check = |text: &str, expected: &str| {
            let error = read_text(text).err().unwrap();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        };
        check("a=b\nsasl.password hunter2", "line 2 is no property: write e.g. security.protocol=SASL_SSL");
        check("=hunter2", "line 1 is no property");
        check("sasl.password=hunter2\nsasl.password=hunter2", "line 2 gives sasl.password again");
        check("sasl.password=env:NONE", "line 1, sasl.password: the environment has no variable NONE: set it");
        check("sasl.password=file:/nowhere/x", "line 1, sasl.password: /nowhere/x can't be read");
        check(&"#\n".repeat(40_000), "it can't be read: it has more than 65536 bytes");
        let missing = KafkaConfig::new("").read_properties(Path::new("/nowhere/kafka.properties")).unwrap_err().to_string();
        assert!(missing.starts_with("setting `/nowhere/kafka.properties`: it can't be read"), "{missing}");
    }

    #[test]
    fn the_command_line_gives_no_secrets() {
        let mut config = read_text("security.protocol=SSL").unwrap();
        config.set_argument("security.protocol", "SASL_SSL").unwrap();
        assert_eq!(config.consumer().unwrap().get("security.protocol"), Some("SASL_SSL"));
        for key in ["sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem"] {
            let error = config.set_argument(key, "hunter2").unwrap_err().to_string();
            assert!(error.contains(ON_THE_COMMAND_LINE) && !error.contains("hunter2"), "{error}");
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("p"), "hunter2\n").unwrap();
        config.set_argument("sasl.password", &format!("file:{}/p", directory.path().display())).unwrap();
        assert_eq!(config.consumer().unwrap().get("sasl.password"), Some("hunter2"));
    }
}
