//! Where an owner's checkpoint begins: what is replayed from there finds heads and pages that may be ahead,
//! each with its own position.
//!
//! Form 1 is JSON. The policy's versions stand in it as text: what was summed up of minutes holds for them
//! alone.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written, and the only one that is read.
const FORM: u64 = 1;
const WHAT: &str = "checkpoint";

/// From where an owner goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The first offset of its partition that is to be read again.
    pub next_offset: u64,
    /// The append time of the last record before it.
    pub log_time: Option<Timestamp>,
    /// Pages before this instant had left memory.
    pub evicted: Timestamp,
    /// By source partition: the last event that it sent here, by offset and line.
    pub origins: Vec<Option<(u64, u64)>>,
    /// The policy's versions, each with the instant from which it is in force.
    pub policies: Vec<(Timestamp, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceView {
    v: u64,
    next_offset: u64,
    log_time: Option<i64>,
    evicted: i64,
    origins: Vec<Option<(u64, u64)>>,
    policies: Vec<(i64, String)>,
}

/// A place as bytes.
#[must_use]
pub fn write(place: &Place) -> Vec<u8> {
    let view = PlaceView {
        v: FORM,
        next_offset: place.next_offset,
        log_time: place.log_time.map(Timestamp::ms),
        evicted: place.evicted.ms(),
        origins: place.origins.clone(),
        policies: place.policies.iter().map(|(from, text)| (from.ms(), text.clone())).collect(),
    };
    let mut out = Vec::new();
    json::write(&view, &mut out);
    out
}

/// A place from its bytes.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else that [`write`] can't
/// have written.
pub fn read(bytes: &[u8]) -> Result<Place, Error> {
    json::check_form(WHAT, FORM, bytes)?;
    let view: PlaceView = json::read(WHAT, bytes)?;
    let instant = |ms: i64| {
        let outside = || <serde_json::Error as serde::de::Error>::custom(format!("{ms} is no instant from 1970 to 9999"));
        Timestamp::from_ms(ms).ok_or_else(|| Error::Json { what: WHAT, source: outside() })
    };
    Ok(Place {
        next_offset: view.next_offset,
        log_time: view.log_time.map(instant).transpose()?,
        evicted: instant(view.evicted)?,
        origins: view.origins,
        policies: view.policies.into_iter().map(|(from, text)| Ok((instant(from)?, text))).collect::<Result<_, Error>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Place> {
        let instant = || (0..=Timestamp::MAX.ms()).prop_map(Timestamp::clamped);
        let origins = prop::collection::vec(any::<Option<(u64, u64)>>(), 0..5);
        let policies = prop::collection::vec((instant(), ".*"), 0..3);
        (any::<u64>(), prop::option::of(instant()), instant(), origins, policies).prop_map(
            |(next_offset, log_time, evicted, origins, policies)| Place { next_offset, log_time, evicted, origins, policies },
        )
    }

    #[test]
    fn form_1_is_read() {
        let stored =
            br#"{"v":1,"next_offset":7,"log_time":1772323200005,"evicted":0,"origins":[null,[3,1]],"policies":[[0,"x"]]}"#;
        let expected = Place {
            next_offset: 7,
            log_time: Timestamp::from_ms(1_772_323_200_005),
            evicted: Timestamp::MIN,
            origins: vec![None, Some((3, 1))],
            policies: vec![(Timestamp::MIN, "x".to_owned())],
        };
        assert_eq!(read(stored).expect("form 1"), expected);
        assert_eq!(write(&expected), stored);
    }

    #[test]
    fn a_later_form_is_refused() {
        let later = read(br#"{"v":2,"offsets":[7]}"#).expect_err("form 2").to_string();
        assert!(later.starts_with("this checkpoint has form 2; expected form 1: upgrade the reader"), "{later}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(place in place()) {
            prop_assert_eq!(read(&write(&place)).expect("a place"), place);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).is_err());
        }
    }
}
