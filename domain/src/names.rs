//! What a subject remembers of its events' names, as plain values (R5).

use crate::id::ReporterId;

/// Sequence numbers that a subject remembers of each reporter, live (R5).
pub const REMEMBERED_SEQS_MAX: usize = 64;
/// Reporters that a subject remembers, live (R5).
pub const REMEMBERED_REPORTERS_MAX: usize = 8;

/// A short hash of what a name stands for. Two contents with one hash could only make a conflict
/// pass for a duplicate, and neither counts; so three bytes are enough.
pub type ContentHash = [u8; 3];

/// The names that a subject remembers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NamesParts {
    reporters: Vec<ReporterNames>,
    forgotten: Option<u64>,
}

/// The names that a subject remembers of one reporter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReporterNames {
    /// Who; no reporter is one of its own.
    pub reporter: Option<ReporterId>,
    /// Numbers up to this may have been taken before the reporter was last forgotten.
    pub heard_above: Option<u64>,
    /// Rising sequence numbers above that, each with its content's hash.
    pub seqs: Vec<(u64, ContentHash)>,
}

impl NamesParts {
    /// The names of these reporters, the most recently heard last, and the highest sequence number
    /// of a reporter that was forgotten. `None` where there are too many of anything, a reporter
    /// is there twice, or numbers don't rise.
    #[must_use]
    pub fn new(reporters: Vec<ReporterNames>, forgotten: Option<u64>) -> Option<Self> {
        let once = |(place, one): (usize, &ReporterNames)| reporters[..place].iter().all(|other| other.reporter != one.reporter);
        let sound = reporters.len() <= REMEMBERED_REPORTERS_MAX
            && reporters.iter().all(|one| one.is_sound() && one.heard_above <= forgotten)
            && reporters.iter().enumerate().all(once);
        sound.then_some(Self { reporters, forgotten })
    }

    /// The reporters, the most recently heard last.
    #[must_use]
    pub fn reporters(&self) -> &[ReporterNames] {
        &self.reporters
    }

    /// The highest sequence number of a reporter that was forgotten.
    #[must_use]
    pub const fn forgotten(&self) -> Option<u64> {
        self.forgotten
    }

    /// The reporters, the most recently heard last.
    #[must_use]
    pub fn into_reporters(self) -> Vec<ReporterNames> {
        self.reporters
    }
}

impl ReporterNames {
    fn is_sound(&self) -> bool {
        let above = |seq: u64| self.heard_above.is_none_or(|heard| seq > heard);
        self.seqs.len() <= REMEMBERED_SEQS_MAX
            && self.seqs.first().is_none_or(|&(first, _)| above(first))
            && self.seqs.windows(2).all(|pair| pair[0].0 < pair[1].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_rise() {
        let names = |reporter: &str, heard_above, seqs: &[u64]| {
            let seqs = seqs.iter().map(|&seq| (seq, [0; 3])).collect();
            ReporterNames { reporter: ReporterId::new(reporter), heard_above, seqs }
        };
        let check = |reporters: Vec<ReporterNames>, forgotten, expected: bool| {
            assert_eq!(NamesParts::new(reporters.clone(), forgotten).is_some(), expected, "{reporters:?}, {forgotten:?}");
        };
        check(vec![], Some(3), true);
        check(vec![names("", None, &[1, 2]), names("a", Some(7), &[8])], Some(7), true);
        check(vec![names("a", None, &[1]), names("a", None, &[2])], None, false);
        check(vec![names("", None, &[1]), names("", None, &[2])], None, false);
        check(vec![names("a", None, &[2, 2])], None, false);
        check(vec![names("a", Some(7), &[7])], Some(7), false);
        check(vec![names("a", Some(7), &[8])], Some(6), false);
        check(vec![names("a", None, &(0..=64).collect::<Vec<_>>())], None, false);
        check((0..9).map(|n| names(&format!("gw-{n}"), None, &[])).collect(), None, false);
    }
}
