//! Marks in a `registry` that was restored from a copy: when the records after them were appended first.
//!
//! How far a fact reaches back follows from when it was appended (R24), and a broker sets that anew. So a
//! restore writes a mark before each fact whose time is another than the one before, and an end after the last.
//! Marks count from the log's first record up to the end, and nowhere else: nobody dates back what is appended
//! to a log that goes on. They never make a record younger than its log says.

use domain::Timestamp;

/// Ends the marks, as it is written.
pub const END: &[u8] = br#"{"v":1,"type":"appended"}"#;
/// A mark of form 1, around its epoch milliseconds.
const PREFIX: &[u8] = br#"{"v":1,"type":"appended","at":"#;
const SUFFIX: &[u8] = b"}";

/// What a record of the registry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appended {
    /// A mark, no fact; and up to when the log is read by it.
    Mark(Option<Timestamp>),
    /// Anything else, and when it was appended first.
    At(Option<Timestamp>),
}

/// Reads the registry's records in order, and says when each was appended first.
#[derive(Clone, Copy, Default, Debug)]
pub struct AppendTimes {
    stage: Stage,
}

#[derive(Clone, Copy, Default, Debug)]
enum Stage {
    #[default]
    Beginning,
    Marked(Timestamp),
    Over,
}

/// A mark's bytes.
#[must_use]
pub fn write(at: Timestamp) -> Vec<u8> {
    [PREFIX, at.ms().to_string().as_bytes(), SUFFIX].concat()
}

impl AppendTimes {
    /// Goes on behind a log's first records, where a mark still counts, or none does any more.
    #[must_use]
    pub const fn resumed(marked: Option<Timestamp>) -> Self {
        let stage = if let Some(at) = marked { Stage::Marked(at) } else { Stage::Over };
        Self { stage }
    }

    /// The mark that counts for the next record.
    #[must_use]
    pub const fn marked(&self) -> Option<Timestamp> {
        if let Stage::Marked(at) = self.stage { Some(at) } else { None }
    }

    /// Takes in the next record and its append time in this log.
    pub fn read(&mut self, record: &[u8], appended_at: Option<Timestamp>) -> Appended {
        match (self.stage, mark(record)) {
            (Stage::Beginning | Stage::Marked(_), Some(at)) => {
                self.stage = Stage::Marked(at);
                Appended::Mark(None)
            }
            (Stage::Marked(_), None) if record == END => {
                self.stage = Stage::Over;
                Appended::Mark(appended_at)
            }
            (Stage::Marked(marked), None) => Appended::At(Some(appended_at.map_or(marked, |at| at.min(marked)))),
            (Stage::Beginning | Stage::Over, _) => {
                self.stage = Stage::Over;
                Appended::At(appended_at)
            }
        }
    }
}

fn mark(record: &[u8]) -> Option<Timestamp> {
    let ms = record.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    Timestamp::from_ms(std::str::from_utf8(ms).ok()?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::clamped(ms)
    }

    /// Records as bytes, all appended at 1,000; of each the time that it counts as, none for a mark.
    fn check(records: &[&[u8]], expected: &[Option<i64>]) {
        let mut times = AppendTimes::default();
        let read = |record: &&[u8]| match times.read(record, Some(at(1_000))) {
            Appended::Mark(_) => None,
            Appended::At(time) => time.map(Timestamp::ms),
        };
        assert_eq!(records.iter().map(read).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn marks_date_what_follows_up_to_their_end() {
        let (early, later) = (write(at(7)), write(at(9)));
        assert_eq!(early, br#"{"v":1,"type":"appended","at":7}"#);
        check(&[&early, b"a", b"b", &later, b"c", END, b"d"], &[None, Some(7), Some(7), None, Some(9), None, Some(1_000)]);
        check(&[&write(at(2_000)), b"a"], &[None, Some(1_000)]);
    }

    #[test]
    fn what_comes_later_is_no_mark() {
        let early = write(at(7));
        check(&[b"a", &early, b"b", END], &[Some(1_000); 4]);
        check(&[&early, END, &early, b"b"], &[None, None, Some(1_000), Some(1_000)]);
        assert!(crate::fact::parse(&early).is_err() && crate::fact::parse(END).is_err(), "it is no fact either");
    }

    #[test]
    fn reading_goes_on_behind_some_records() {
        let (early, later) = (write(at(7)), write(at(9)));
        let records: [&[u8]; 6] = [&early, b"a", &later, b"b", END, &early];
        for cut in 1..records.len() {
            let mut times = AppendTimes::default();
            for record in &records[..cut] {
                times.read(record, Some(at(1_000)));
            }
            let mut resumed = AppendTimes::resumed(times.marked());
            for record in &records[cut..] {
                assert_eq!(resumed.read(record, Some(at(1_000))), times.read(record, Some(at(1_000))), "{cut}");
            }
        }
    }

    #[test]
    fn the_end_says_how_far_the_log_is_read() {
        let mut times = AppendTimes::default();
        assert_eq!(times.read(&write(at(7)), Some(at(1_000))), Appended::Mark(None));
        assert_eq!(times.read(END, Some(at(1_000))), Appended::Mark(Some(at(1_000))));
    }
}
