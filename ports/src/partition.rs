//! Which partition a key belongs to: the contract of every log that is keyed.
//!
//! murmur2 of the key modulo the number of partitions, as Kafka's Java client does it
//! (`Utils.toPositive(Utils.murmur2(key)) % partitions`), so that whoever produces with that client, or
//! with librdkafka's `murmur2`, sends a subject's events straight to their owner.

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;
const SHIFT: u32 = 24;
/// Bytes that are mixed in at a time.
const WORD_BYTES: usize = 4;

/// murmur2 of a key that comes in parts, of which the whole length is known: nothing is joined or copied.
#[derive(Clone, Debug)]
pub struct Murmur2 {
    hash: u32,
    /// Bytes that don't fill a word yet, the first one lowest.
    tail: u32,
    tail_bytes: usize,
}

impl Murmur2 {
    /// The hash of nothing yet, of a key of so many bytes altogether. Kafka's keys are shorter than 2³¹ bytes.
    #[must_use]
    pub fn new(key_bytes: usize) -> Self {
        Self { hash: SEED ^ u32::try_from(key_bytes).unwrap_or(u32::MAX), tail: 0, tail_bytes: 0 }
    }

    /// Takes in the next part of the key.
    pub fn write(&mut self, part: &[u8]) {
        let filling = if self.tail_bytes == 0 { 0 } else { part.len().min(WORD_BYTES - self.tail_bytes) };
        let (filling, rest) = part.split_at(filling);
        self.write_tail(filling);
        let (words, rest) = rest.as_chunks::<WORD_BYTES>();
        for word in words {
            self.mix(u32::from_le_bytes(*word));
        }
        self.write_tail(rest);
    }

    /// The hash, as Java's signed `int`.
    #[must_use]
    pub const fn finish(self) -> i32 {
        let mut hash = self.hash;
        if self.tail_bytes > 0 {
            hash = (hash ^ self.tail).wrapping_mul(MULTIPLIER);
        }
        hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
        (hash ^ (hash >> 15)).cast_signed()
    }

    /// The partition of the key, of so many; 0 where there is none.
    #[must_use]
    pub const fn partition(self, partitions: u32) -> u32 {
        match (self.finish() & i32::MAX).cast_unsigned().checked_rem(partitions) {
            Some(partition) => partition,
            None => 0,
        }
    }

    fn write_tail(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.tail |= u32::from(byte) << (8 * self.tail_bytes);
            self.tail_bytes += 1;
        }
        if self.tail_bytes == WORD_BYTES {
            self.mix(self.tail);
            (self.tail, self.tail_bytes) = (0, 0);
        }
    }

    #[inline]
    const fn mix(&mut self, word: u32) {
        let mut word = word.wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        self.hash = self.hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER);
    }
}

/// murmur2 of a key, as Kafka's Java client computes it.
#[must_use]
pub fn murmur2(key: &[u8]) -> i32 {
    let mut hash = Murmur2::new(key.len());
    hash.write(key);
    hash.finish()
}

/// The partition of a key, of so many; 0 where there is none.
#[must_use]
pub fn partition_of_key(key: &[u8], partitions: u32) -> u32 {
    let mut hash = Murmur2::new(key.len());
    hash.write(key);
    hash.partition(partitions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The vectors of Kafka's own tests (`org.apache.kafka.common.utils.UtilsTest`).
    #[test]
    fn the_hash_is_kafkas() {
        let check = |key: &str, expected: i32| assert_eq!(murmur2(key.as_bytes()), expected, "{key}");
        check("21", -973_932_308);
        check("foobar", -790_332_482);
        check("a-little-bit-long-string", -985_981_536);
        check("a-little-bit-longer-string", -1_486_304_829);
        check("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971);
        check("abc", 479_470_107);
    }

    #[test]
    fn the_sign_is_cut_off_before_the_remainder() {
        let check = |partitions: u32, expected: u32| assert_eq!(partition_of_key(b"21", partitions), expected, "{partitions}");
        check(10, 0);
        check(64, 44);
        check(1, 0);
        check(0, 0);
        assert_eq!((-973_932_308_i32 & i32::MAX) % 64, 44);
        assert_eq!((-973_932_308_i32 & i32::MAX) % 10, 0);
    }

    /// murmur2 as it is written in Kafka's `Utils.java`, line by line.
    fn javas(data: &[u8]) -> i32 {
        let at = |index: usize| u32::from(data[index]);
        let length = data.len();
        let mut h = SEED ^ u32::try_from(length).unwrap();
        for i in 0..length / 4 {
            let mut k = at(i * 4) + (at(i * 4 + 1) << 8) + (at(i * 4 + 2) << 16) + (at(i * 4 + 3) << 24);
            k = k.wrapping_mul(MULTIPLIER);
            k ^= k >> 24;
            k = k.wrapping_mul(MULTIPLIER);
            h = h.wrapping_mul(MULTIPLIER);
            h ^= k;
        }
        let rest = length & !3;
        if length % 4 >= 3 {
            h ^= at(rest + 2) << 16;
        }
        if length % 4 >= 2 {
            h ^= at(rest + 1) << 8;
        }
        if length % 4 >= 1 {
            h ^= at(rest);
            h = h.wrapping_mul(MULTIPLIER);
        }
        h ^= h >> 13;
        h = h.wrapping_mul(MULTIPLIER);
        (h ^ (h >> 15)).cast_signed()
    }

    proptest! {
        #[test]
        fn parts_hash_as_the_whole(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..6)) {
            let whole = parts.concat();
            let mut hash = Murmur2::new(whole.len());
            parts.iter().for_each(|part| hash.write(part));
            prop_assert_eq!(hash.finish(), javas(&whole));
            prop_assert_eq!(murmur2(&whole), javas(&whole));
        }
    }
}
