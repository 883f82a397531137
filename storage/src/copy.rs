//! From any source into a log: how a file becomes a topic.

use std::time::Duration;

use ports::{Log, PortError, RecordSink, RecordSource};

/// Most records taken from the source at a time.
const BATCH_RECORDS_MAX: usize = 10_000;
/// Longest wait for the source before it is asked again.
const WAIT: Duration = Duration::from_millis(100);

/// How much was copied.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Copied {
    /// Records.
    pub records: u64,
    /// Their content, in bytes.
    pub bytes: u64,
}

/// Appends every record of a source to a log, until the source is at its end, and flushes.
///
/// `key_of` gives a record's key from its content. Records that the source cut short are copied as
/// far as it delivered them: the log's reader rejects them. `progress` is told after each batch.
///
/// # Errors
///
/// Those of the source and the sink; what was appended before stays appended.
pub fn copy_records(
    source: &mut dyn RecordSource,
    log: Log,
    sink: &mut dyn RecordSink,
    key_of: &mut dyn FnMut(&[u8]) -> String,
    progress: &mut dyn FnMut(Copied),
) -> Result<Copied, PortError> {
    let mut copied = Copied::default();
    loop {
        let mut failure = None;
        let polled = source.poll(BATCH_RECORDS_MAX, WAIT, &mut |record| {
            if failure.is_none() {
                failure = sink.append(log, &key_of(record.payload), record.payload).err();
                copied.bytes += record.payload.len() as u64;
            }
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        copied.records += polled.records as u64;
        progress(copied);
        if polled.at_end {
            sink.flush()?;
            return Ok(copied);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::{MemorySink, MemorySource};

    #[test]
    fn every_record_is_copied_under_its_key() {
        let mut sink = MemorySink::default();
        let mut key_of = |payload: &[u8]| String::from_utf8_lossy(&payload[..1]).into_owned();
        let copied = copy_records(&mut MemorySource::lines("a1\nb22"), Log::Health, &mut sink, &mut key_of, &mut |_| {}).unwrap();
        assert_eq!(copied, Copied { records: 2, bytes: 5 });
        let seen: Vec<_> = sink.appended().iter().map(|a| (a.log, a.key.as_str(), a.payload.as_slice())).collect();
        assert_eq!(seen, [(Log::Health, "a", b"a1".as_slice()), (Log::Health, "b", b"b22".as_slice())]);
    }
}
