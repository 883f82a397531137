//! Sets of milliseconds as sorted pieces of time, and the few questions that are asked of them.
//! Instants are epoch milliseconds here, so that `t − W` needs no care before 1970.

use domain::{Interval, Timestamp};

/// `[from, to)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Disjoint pieces in order of time, no two of which touch.
#[derive(Clone, Default, Debug)]
pub(super) struct Spans {
    spans: Vec<Span>,
    /// Milliseconds in the pieces before each piece.
    before: Vec<i64>,
}

impl Span {
    pub(super) fn shown(self) -> Interval {
        Interval::new(Timestamp::clamped(self.from), Timestamp::clamped(self.to))
    }
}

impl Spans {
    /// Takes disjoint pieces in order of time; touching ones become one.
    pub(super) fn of(pieces: impl Iterator<Item = Span>) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for piece in pieces {
            match spans.last_mut() {
                Some(last) if last.to == piece.from => last.to = piece.to,
                _ => spans.push(piece),
            }
        }
        let before = spans
            .iter()
            .scan(0, |total, span| {
                let before = *total;
                *total += span.to - span.from;
                Some(before)
            })
            .collect();
        Self { spans, before }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Span> {
        self.spans.iter().copied()
    }

    /// How many milliseconds of `[from, to)` are in the set.
    pub(super) fn ms_in(&self, from: i64, to: i64) -> i64 {
        if to <= from { 0 } else { self.ms_before(to) - self.ms_before(from) }
    }

    /// The earliest instant t with at least `ms` ≥ 1 milliseconds of `[from, t)` in the set.
    pub(super) fn reached(&self, from: i64, ms: i64) -> Option<i64> {
        let mut missing = ms;
        for span in &self.spans[self.spans.partition_point(|span| span.to <= from)..] {
            let start = span.from.max(from);
            if span.to - start >= missing {
                return Some(start + missing);
            }
            missing -= span.to - start;
        }
        None
    }

    /// The pieces with gaps of at most `gap` filled (R9).
    pub(super) fn runs(&self, gap: i64) -> Vec<Span> {
        let mut runs: Vec<Span> = Vec::new();
        for span in self.iter() {
            match runs.last_mut() {
                Some(run) if span.from - run.to <= gap => run.to = span.to,
                _ => runs.push(span),
            }
        }
        runs
    }

    fn ms_before(&self, at: i64) -> i64 {
        match self.spans.partition_point(|span| span.from < at) {
            0 => 0,
            n => self.before[n - 1] + self.spans[n - 1].to.min(at) - self.spans[n - 1].from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans() -> Spans {
        Spans::of([(10, 20), (20, 22), (30, 35), (40, 41)].map(|(from, to)| Span { from, to }).into_iter())
    }

    #[test]
    fn milliseconds_are_counted_within_a_window() {
        let check = |from, to, expected| assert_eq!(spans().ms_in(from, to), expected, "[{from}, {to})");
        check(0, 100, 18);
        check(10, 22, 12);
        check(15, 31, 8);
        check(22, 30, 0);
        check(40, 40, 0);
        check(50, 10, 0);
    }

    #[test]
    fn an_amount_is_reached_at_its_last_millisecond() {
        let check = |from, ms, expected| assert_eq!(spans().reached(from, ms), expected, "{ms} from {from}");
        check(0, 12, Some(22));
        check(0, 13, Some(31));
        check(21, 1, Some(22));
        check(21, 7, Some(41));
        check(21, 8, None);
    }

    #[test]
    fn runs_fill_gaps_up_to_the_limit() {
        let check = |gap, expected: &[(i64, i64)]| {
            assert_eq!(spans().runs(gap).iter().map(|run| (run.from, run.to)).collect::<Vec<_>>(), expected, "{gap}");
        };
        check(4, &[(10, 22), (30, 35), (40, 41)]);
        check(5, &[(10, 22), (30, 41)]);
        check(8, &[(10, 41)]);
    }
}
