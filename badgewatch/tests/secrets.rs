//! Secrets of the Kafka client as users meet them: from a file or the environment, never from the command line, and
//! never told by anything, however much is logged.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SECRETS: [&str; 4] = ["hunter2-of-env", "hunter2-of-file", "hunter2-of-key", "hunter2-in-place"];

fn badgewatch(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    command.current_dir(folder).env("RUST_LOG", "trace").env("OUR_PASSWORD", SECRETS[0]).args(arguments);
    command.output().expect("the binary runs")
}

/// What it says, in which no secret is.
fn said(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = badgewatch(folder, arguments);
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    assert_eq!(output.status.code(), Some(code), "{said}");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is told: {said}");
    }
    said
}

fn folder(properties: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("kafka.properties"), properties).expect("written");
    folder
}

const RUN: [&str; 9] =
    ["run", "--kafka", "127.0.0.1:1", "--state", "state", "--http", "127.0.0.1:0", "--kafka-config", "kafka.properties"];

#[test]
fn nothing_tells_a_secret() {
    let folder = folder(
        "# everything that the client can say\ndebug=all\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n\
         sasl.username=badgewatch\nsasl.password=env:OUR_PASSWORD\nssl.keystore.password=file:password\n\
         ssl.key.password=hunter2-in-place\n",
    );
    fs::write(folder.path().join("password"), SECRETS[1]).expect("written");
    let said = said(folder.path(), &RUN, 1);
    // It did log what the client does, and says in the end why it can't go on.
    for part in ["TRACE", "sasl.password = [redacted]", "ssl.key.password = [redacted]", "sasl.username"] {
        assert!(said.contains(part), "{part} is in {said}");
    }
    assert!(said.contains("Connection refused"), "{said}");
}

#[test]
fn a_key_that_is_none_is_refused_without_being_shown() {
    let folder = folder("security.protocol=SSL\nssl.key.pem=hunter2-of-key\n");
    let said = said(folder.path(), &RUN, 1);
    assert!(said.contains("ssl.key.pem"), "{said}");
}

#[test]
fn the_command_line_takes_no_secret_word_for_word() {
    let folder = folder("");
    for key in ["sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem"] {
        let property = format!("{key}=hunter2-in-place");
        let said = said(folder.path(), &["run", "--kafka", "127.0.0.1:1", "--kafka-property", &property], 2);
        let expected = format!("setting `{key}`: a secret on the command line can be seen by everybody on the machine");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_by_line() {
    let check = |properties: &str, expected: &str| {
        let folder = folder(properties);
        let said = said(folder.path(), &RUN, 2);
        assert!(said.contains(expected), "{said}");
    };
    check("a=b\nsasl.password hunter2-in-place\n", "setting `kafka.properties`: line 2 is no property");
    check("sasl.password=env:NOT_OURS\n", "line 1, sasl.password: the environment has no variable NOT_OURS: set it");
}
