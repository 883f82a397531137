//! Keys as file names: readable, and safe on systems that don't tell upper from lower case.
//!
//! Lower-case letters, digits, `-`, `_` and `.` stand for themselves, every other byte is `%` and two
//! digits. A long name is cut into directories. Suffixes keep keys apart from the store's own files.

use std::path::{Path, PathBuf};

/// Longest name before its suffix, in bytes; systems take 255.
const NAME_BYTES_MAX: usize = 200;
/// Ends the name of a key's file.
const VALUE: &str = ".state";
/// Ends the name of a directory that holds a long key's rest.
const DIRECTORY: &str = ".d";

/// A key's path within the store.
pub(super) fn encode(key: &[u8]) -> PathBuf {
    let mut text = String::with_capacity(key.len() + VALUE.len());
    for &byte in key {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    let mut path = PathBuf::new();
    while text.len() > NAME_BYTES_MAX {
        let rest = text.split_off(NAME_BYTES_MAX);
        path.push(text + DIRECTORY);
        text = rest;
    }
    path.push(text + VALUE);
    path
}

/// The key of a path within the store; `None` where that is no file of a key.
pub(super) fn decode(path: &Path) -> Option<Vec<u8>> {
    let mut text = String::new();
    let mut parts = path.iter().peekable();
    while let Some(part) = parts.next() {
        let suffix = if parts.peek().is_some() { DIRECTORY } else { VALUE };
        text.push_str(part.to_str()?.strip_suffix(suffix)?);
    }
    let mut key = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            key.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            key.push(*byte);
            rest = after;
        }
    }
    (encode(&key) == path).then_some(key)
}

/// Whether a path is, by its name, a directory that holds a long key's rest.
pub(super) fn is_directory(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(DIRECTORY))
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_readable_and_stay_within_the_directory() {
        let check = |key: &str, expected: &str| {
            assert_eq!(encode(key.as_bytes()), Path::new(expected), "{key}");
            assert_eq!(decode(Path::new(expected)).as_deref(), Some(key.as_bytes()), "{key}");
        };
        check("head/product:b0-1_2.3", "head%2fproduct%3ab0-1_2.3.state");
        check("Bb", "%42b.state");
        check("", ".state");
        check("..", "...state");
        check("a%2f", "a%252f.state");
        let long = "x".repeat(NAME_BYTES_MAX);
        check(&long, &format!("{long}.state"));
        check(&format!("{long}{long}/"), &format!("{long}.d/{long}.d/%2f.state"));
    }

    #[test]
    fn other_files_are_no_keys() {
        for name in [
            "lock",
            "batch",
            "a",
            "a.state.tmp",
            "A.state",
            "%2F.state",
            "%41%4.state",
            "%61.state",
            "a.d/b.state",
            "a.x/b.state",
        ] {
            assert_eq!(decode(Path::new(name)), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_key_has_a_name_of_its_own(key in prop::collection::vec(any::<u8>(), 0..400)) {
            let path = encode(&key);
            prop_assert!(path.iter().all(|part| part.len() <= NAME_BYTES_MAX + VALUE.len()));
            prop_assert_eq!(decode(&path), Some(key));
        }
    }
}
