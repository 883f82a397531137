//! The partition contract: where a subject's events and what follows from them live.
//!
//! A subject's owner is the partition of its text (`product:<ASIN>`, `skill:<id>`, `hub:<ASIN>`) as Kafka's
//! Java client partitions keys. Producers needn't agree: an event that arrives elsewhere is re-appended to
//! its owner's partition.

use domain::SubjectRef;
use ports::partition::Murmur2;

/// The partition that owns a subject, of so many; 0 where there is none. Allocates nothing.
#[must_use]
pub fn partition_of(subject: SubjectRef<'_>, partitions: u32) -> u32 {
    let kind = subject.kind.as_str();
    let mut key = Murmur2::new(kind.len() + ":".len() + subject.id.len());
    key.write(kind.as_bytes());
    key.write(b":");
    key.write(subject.id.as_bytes());
    key.partition(partitions)
}

/// The partition of `dependencies`, of so many, that everything goes to which a health partition's owner
/// says: the health of its skills and hubs, and its watermarks. So one partition holds both in order, and a
/// watermark is never read before what it vouches for.
#[must_use]
pub const fn dependencies_partition(health_partition: u32, dependencies_partitions: u32) -> u32 {
    match health_partition.checked_rem(dependencies_partitions) {
        Some(partition) => partition,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SubjectKind;
    use ports::partition::partition_of_key;
    use proptest::prelude::*;

    #[test]
    fn known_subjects_are_at_home() {
        let check = |subject: &str, partitions: u32, expected: u32| {
            let parsed = SubjectRef::parse(subject).expect("a subject");
            assert_eq!(partition_of(parsed, partitions), expected, "{subject} of {partitions}");
        };
        // As `Utils.murmur2` of kafka-clients 4.2.0 has them.
        check("product:B000000001", 64, 48);
        check("skill:skill-1", 64, 13);
        check("hub:B000000001", 64, 18);
        check("hub:B000000001", 1, 0);
        check("hub:B000000001", 0, 0);
    }

    #[test]
    fn dependencies_follow_their_source() {
        let homes: Vec<u32> = (0..6).map(|partition| dependencies_partition(partition, 4)).collect();
        assert_eq!(homes, [0, 1, 2, 3, 0, 1]);
        assert_eq!(dependencies_partition(5, 0), 0);
    }

    proptest! {
        #[test]
        fn a_subject_is_where_its_text_is(kind in 0..3_usize, id in ".{1,40}", partitions in 1_u32..200) {
            let kind = [SubjectKind::Product, SubjectKind::Skill, SubjectKind::Hub][kind];
            let subject = SubjectRef { kind, id: &id };
            prop_assert_eq!(partition_of(subject, partitions), partition_of_key(subject.to_string().as_bytes(), partitions));
            prop_assert!(partition_of(subject, partitions) < partitions);
        }
    }
}
