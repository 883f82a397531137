//! Seeded randomness. Ranges are drawn here, not by `rand`'s distributions, so that a seed gives
//! the same bytes under every later version of `rand`; no floating point for the same reason.

use domain::ratio::PPM;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A stream of random draws.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The draws of one stream of a seed. Different streams of one seed are independent, so what
    /// one part draws never shifts another part.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Uniform in `0..end`; 0 when `end` is 0.
    ///
    /// # Panics
    /// Never.
    pub fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or(u64::MAX)
    }

    /// Uniform in `0..end`; 0 when `end` is 0.
    pub fn below_u32(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(u64::from(end))).unwrap_or(u32::MAX)
    }

    /// Uniform in `from..=to`; `from` when the range is empty.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        from.saturating_add_unsigned(self.below(span.saturating_add(1)))
    }

    /// Uniform in `0..end` as an index; 0 when `end` is 0.
    ///
    /// # Panics
    /// Never.
    pub fn index(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(usize::MAX)
    }

    /// True in `ppm` of 1,000,000 cases.
    pub fn chance(&mut self, ppm: i64) -> bool {
        self.between(0, PPM - 1) < ppm
    }

    /// One of `items`.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// `least` or more with a long tail: each doubling is half as likely as the one before.
    pub fn long_tail(&mut self, least: u64, doublings_max: u32) -> u64 {
        let doublings = self.0.next_u64().trailing_zeros().min(doublings_max);
        let low = least << doublings;
        low + self.below(low)
    }

    /// Shuffles `items`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.index(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_keep_to_their_range_and_reach_its_ends() {
        let mut dice = Dice::new(1, 0);
        let drawn: Vec<_> = (0..1_000).map(|_| dice.between(-2, 2)).collect();
        assert_eq!(drawn.iter().min(), Some(&-2));
        assert_eq!(drawn.iter().max(), Some(&2));
        assert_eq!((dice.below(0), dice.between(5, 4), dice.index(1)), (0, 5, 0));
    }

    #[test]
    fn a_stream_is_its_seeds_own() {
        let draw = |seed, stream| Dice::new(seed, stream).below(u64::MAX);
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn chances_are_parts_per_million() {
        let mut dice = Dice::new(3, 0);
        let hits = (0..100_000).filter(|_| dice.chance(100_000)).count();
        assert!((9_500..10_500).contains(&hits), "{hits}");
        assert!(!dice.chance(0) && dice.chance(PPM));
    }

    #[test]
    fn long_tails_are_long() {
        let mut dice = Dice::new(4, 0);
        let mut drawn: Vec<_> = (0..10_000).map(|_| dice.long_tail(100, 14)).collect();
        drawn.sort_unstable();
        assert!(drawn[0] >= 100 && drawn[5_000] < 250 && drawn[9_990] > 20_000, "{:?}", &drawn[9_990..]);
    }
}
