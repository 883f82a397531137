//! Who declared a subject's maintenance, from when on: it is named when an exclusion is asked for it.
//!
//! Form 1 is JSON.

use domain::Timestamp;
use domain::id::{Region, ReporterId};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written, and the only one that is read.
const FORM: u64 = 1;
const WHAT: &str = "list of who declared maintenance";

/// Who declares maintenance in a region from an instant on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declarer {
    /// Where.
    pub region: Region,
    /// From when on.
    pub from: Timestamp,
    /// Who; none where the event named nobody.
    pub by: Option<ReporterId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct View {
    v: u64,
    by: Vec<(String, i64, Option<String>)>,
}

/// A list as bytes.
#[must_use]
pub fn write(declarers: &[Declarer]) -> Vec<u8> {
    let by = |one: &Declarer| (one.region.to_string(), one.from.ms(), one.by.as_ref().map(ToString::to_string));
    let mut out = Vec::new();
    json::write(&View { v: FORM, by: declarers.iter().map(by).collect() }, &mut out);
    out
}

/// A list from its bytes.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] or [`Error::Stored`] for anything else that
/// [`write`] can't have written.
pub fn read(bytes: &[u8]) -> Result<Vec<Declarer>, Error> {
    json::check_form(WHAT, FORM, bytes)?;
    let View { v: _, by } = json::read(WHAT, bytes)?;
    let declarer = |(region, from, by): (String, i64, Option<String>)| {
        let by = match by {
            None => None,
            Some(by) => Some(ReporterId::new(&by)?),
        };
        Some(Declarer { region: Region::parse(&region)?, from: Timestamp::from_ms(from)?, by })
    };
    let wrong = Error::Stored { what: WHAT, problem: "a region, an instant or a reporter is none" };
    by.into_iter().map(declarer).collect::<Option<_>>().ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_1_is_read_and_what_was_not_written_refused() {
        let declarer = |from, by| Declarer { region: Region::Na, from: Timestamp::clamped(from), by };
        let list = [declarer(5, ReporterId::new("gw-17")), declarer(7, None)];
        let stored = br#"{"v":1,"by":[["NA",5,"gw-17"],["NA",7,null]]}"#;
        assert_eq!(read(stored).expect("form 1"), list);
        assert_eq!(write(&list), stored);
        let later = read(br#"{"v":2,"anything":1}"#).expect_err("form 2").to_string();
        assert!(later.starts_with("this list of who declared maintenance has form 2; expected form 1"), "{later}");
        for wrong in [r#"["XX",5,"a"]"#, r#"["NA",-1,"a"]"#, r#"["NA",5,""]"#, r#"["NA",5]"#] {
            assert!(read(format!(r#"{{"v":1,"by":[{wrong}]}}"#).as_bytes()).is_err(), "{wrong}");
        }
    }
}
