//! Where an owner's checkpoint begins: what is replayed from there finds heads and pages that may be ahead,
//! each with its own position.
//!
//! Forms are JSON. The policy's versions stand in them as text: what was summed up of minutes holds for them
//! alone. Form 1 knew nothing of replays; there were none then.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written.
const FORM: u64 = 2;
/// The form before, which is read, too.
const FORM_BEFORE: u64 = 1;
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
    /// Which of the partition's lines were replayed.
    pub replayed: ReplayedParts,
    /// The policy's versions, each with the instant from which it is in force.
    pub policies: Vec<(Timestamp, String)>,
}

/// Lines of a partition that were replayed, by offset and line.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayedParts {
    /// Of lines up to here it is forgotten which ones were.
    pub forgotten: Option<(u64, u64)>,
    /// Those behind.
    pub lines: Vec<(u64, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceView {
    v: u64,
    next_offset: u64,
    log_time: Option<i64>,
    evicted: i64,
    origins: Vec<Option<(u64, u64)>>,
    #[serde(default)]
    replayed: ReplayedParts,
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
        replayed: place.replayed.clone(),
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
    json::check_form(WHAT, FORM_BEFORE, bytes).or_else(|_| json::check_form(WHAT, FORM, bytes))?;
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
        replayed: view.replayed,
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
        let lines = prop::collection::vec(any::<(u64, u64)>(), 0..5);
        let replayed = (any::<Option<(u64, u64)>>(), lines).prop_map(|(forgotten, lines)| ReplayedParts { forgotten, lines });
        (any::<u64>(), prop::option::of(instant()), instant(), origins, replayed, policies).prop_map(
            |(next_offset, log_time, evicted, origins, replayed, policies)| Place {
                next_offset,
                log_time,
                evicted,
                origins,
                replayed,
                policies,
            },
        )
    }

    /// Must never change: places of form 1 are stored.
    const FORM_1: &[u8] =
        br#"{"v":1,"next_offset":7,"log_time":1772323200005,"evicted":0,"origins":[null,[3,1]],"policies":[[0,"x"]]}"#;
    /// Neither must this.
    const FORM_2: &[u8] = br#"{"v":2,"next_offset":7,"log_time":1772323200005,"evicted":0,"origins":[null,[3,1]],"replayed":{"forgotten":[1,2],"lines":[[3,1],[4,1]]},"policies":[[0,"x"]]}"#;

    #[test]
    fn both_forms_are_read() {
        let before = Place {
            next_offset: 7,
            log_time: Timestamp::from_ms(1_772_323_200_005),
            evicted: Timestamp::MIN,
            origins: vec![None, Some((3, 1))],
            replayed: ReplayedParts::default(),
            policies: vec![(Timestamp::MIN, "x".to_owned())],
        };
        assert_eq!(read(FORM_1).expect("form 1"), before);
        let replayed = ReplayedParts { forgotten: Some((1, 2)), lines: vec![(3, 1), (4, 1)] };
        let now = Place { replayed, ..before };
        assert_eq!(read(FORM_2).expect("form 2"), now);
        assert_eq!(String::from_utf8_lossy(&write(&now)), String::from_utf8_lossy(FORM_2));
        let later = String::from_utf8_lossy(FORM_2).replace(r#""v":2"#, r#""v":3"#);
        assert!(matches!(read(later.as_bytes()), Err(Error::Form { found: 3, .. })));
    }

    #[test]
    fn a_later_form_is_refused() {
        let later = read(br#"{"v":3,"offsets":[7]}"#).expect_err("form 3").to_string();
        assert!(later.starts_with("this checkpoint has form 3; expected form 2: upgrade the reader"), "{later}");
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
