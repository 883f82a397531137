//! What an owner's state says of having been restored from a copy: the logs that it rests on have other positions.
//!
//! Form 1 is JSON.

use domain::decision::{InputPosition, Issued};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written, and the only one that is read.
const FORM: u64 = 1;
const WHAT: &str = "note of a restore";
const HEALTH: &str = "health";

/// How positions of before a restore are read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Restored {
    /// Whether the restore came to its end.
    pub complete: bool,
    /// The number of the last decision that was restored: it and those before name positions of other logs.
    pub seq: u64,
    /// What an offset of the partition's `health` log is less than in everything stored: positions go on where
    /// those of the copied log ended.
    pub base: u64,
    /// How far the other logs were restored.
    pub inputs: Vec<InputPosition>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoredView {
    v: u64,
    complete: bool,
    seq: u64,
    base: u64,
    inputs: Vec<(String, u32, u64)>,
}

impl Restored {
    /// Up to where inputs are to be read before anything is decided, given the last decision that was issued.
    #[must_use]
    pub fn barrier(&self, last: Option<Issued>) -> Vec<InputPosition> {
        let Some(last) = last else { return Vec::new() };
        if last.seq > self.seq {
            return last.inputs;
        }
        let own = last.inputs.into_iter().filter(|input| input.log == HEALTH);
        own.chain(self.inputs.iter().cloned()).collect()
    }
}

/// A note as bytes.
#[must_use]
pub fn write(restored: &Restored) -> Vec<u8> {
    let Restored { complete, seq, base, ref inputs } = *restored;
    let inputs = inputs.iter().map(|input| (input.log.clone(), input.partition, input.next_offset)).collect();
    let mut out = Vec::new();
    json::write(&RestoredView { v: FORM, complete, seq, base, inputs }, &mut out);
    out
}

/// A note from its bytes.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else that [`write`] can't have written.
pub fn read(bytes: &[u8]) -> Result<Restored, Error> {
    json::check_form(WHAT, FORM, bytes)?;
    let RestoredView { v: _, complete, seq, base, inputs } = json::read(WHAT, bytes)?;
    let input = |(log, partition, next_offset)| InputPosition { log, partition, next_offset };
    Ok(Restored { complete, seq, base, inputs: inputs.into_iter().map(input).collect() })
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::decision::Issuer;

    use super::*;

    fn input(log: &str, next_offset: u64) -> InputPosition {
        InputPosition { log: log.to_owned(), partition: 0, next_offset }
    }

    fn restored() -> Restored {
        Restored { complete: true, seq: 3, base: 70, inputs: vec![input("registry", 9)] }
    }

    #[test]
    fn form_1_is_read_and_a_later_one_refused() {
        let stored = br#"{"v":1,"complete":true,"seq":3,"base":70,"inputs":[["registry",0,9]]}"#;
        assert_eq!(read(stored).expect("form 1"), restored());
        assert_eq!(write(&restored()), stored);
        let later = read(br#"{"v":2,"anything":1}"#).expect_err("form 2").to_string();
        assert!(later.starts_with("this note of a restore has form 2; expected form 1: upgrade the reader"), "{later}");
        assert!(read(b"").is_err() && read(b"{}").is_err());
    }

    #[test]
    fn decisions_of_before_wait_for_the_restored_logs() {
        let check = |seq: Option<u64>, expected: &[InputPosition]| {
            let inputs = vec![input("registry", 500), input("health", 80)];
            let last = seq.map(|seq| Issued { at: Timestamp::MIN, by: Issuer::Partition(0), seq, inputs });
            assert_eq!(restored().barrier(last), expected, "{seq:?}");
        };
        check(None, &[]);
        check(Some(3), &[input("health", 80), input("registry", 9)]);
        check(Some(4), &[input("registry", 500), input("health", 80)]);
    }
}
