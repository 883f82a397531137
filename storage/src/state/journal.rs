//! A batch of changes as bytes: of each a tag, the key and, where it is set, the value, both with their lengths.

use ports::Op;

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// A batch as bytes.
pub(super) fn encode(batch: &[Op]) -> Vec<u8> {
    let mut out = Vec::new();
    for op in batch {
        match op {
            Op::Put { key, value } => {
                out.push(PUT);
                write(key, &mut out);
                write(value, &mut out);
            }
            Op::Delete { key } => {
                out.push(DELETE);
                write(key, &mut out);
            }
        }
    }
    out
}

/// The batch that [`encode`] has written; `None` for other bytes.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<Op>> {
    let mut batch = Vec::new();
    while let [tag, rest @ ..] = bytes {
        bytes = rest;
        let key = read(&mut bytes)?;
        batch.push(match *tag {
            PUT => Op::Put { key, value: read(&mut bytes)? },
            DELETE => Op::Delete { key },
            _ => return None,
        });
    }
    Some(batch)
}

fn write(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn read(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (found, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some(found.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn op() -> impl Strategy<Value = Op> {
        (any::<Vec<u8>>(), any::<Option<Vec<u8>>>()).prop_map(|(key, value)| match value {
            Some(value) => Op::Put { key, value },
            None => Op::Delete { key },
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(batch in prop::collection::vec(op(), 0..5)) {
            prop_assert_eq!(decode(&encode(&batch)), Some(batch));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            if let Some(batch) = decode(&bytes) {
                prop_assert_eq!(encode(&batch), bytes);
            }
        }
    }
}
