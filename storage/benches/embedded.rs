//! What the embedded logs cost: appending with a flush now and then, and reading.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use ports::{Log, RecordSink, read_to_end};
use storage::embedded::{EmbeddedConfig, EmbeddedLogs, system_clock};

/// An ordinary event.
const LINE: &[u8] =
    br#"{"v":1,"type":"outcome","subject":"product:B000000001","region":"NA","at":"2026-03-01T00:07:12.500Z","ok":118,"failed":2}"#;
const RECORDS: u32 = 100_000;

fn main() {
    divan::main();
}

fn open(directory: &tempfile::TempDir) -> EmbeddedLogs {
    EmbeddedLogs::open(directory.path(), &EmbeddedConfig::default(), system_clock()).expect("an empty directory").logs
}

fn append(logs: &EmbeddedLogs, keys: &[String], flush_every: u32) {
    let mut sink = logs.sink();
    for number in 0..RECORDS {
        sink.append(Log::Health, &keys[number as usize % keys.len()], LINE).expect("a disk with room");
        if number % flush_every == flush_every - 1 {
            sink.flush().expect("a disk that works");
        }
    }
    sink.flush().expect("a disk that works");
}

fn keys() -> Vec<String> {
    (0..1_000).map(|number| format!("product:B{number:09}")).collect()
}

/// So many records a flush; each flush waits for the disk.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10, sample_size = 1)]
fn append_and_flush(bencher: Bencher<'_, '_>, records: u32) {
    let (directory, keys) = (tempfile::tempdir().expect("a directory for temporary files"), keys());
    let logs = open(&directory);
    let bencher = bencher.counter(ItemsCount::new(RECORDS)).counter(BytesCount::new(LINE.len() * RECORDS as usize));
    bencher.bench_local(|| append(&logs, &keys, records));
}

/// Four threads append to the same logs, and flush every thousand records each.
#[divan::bench(threads = [1, 4], sample_count = 8, sample_size = 1)]
fn append_side_by_side(bencher: Bencher<'_, '_>) {
    let (directory, keys) = (tempfile::tempdir().expect("a directory for temporary files"), keys());
    let logs = open(&directory);
    bencher.counter(ItemsCount::new(RECORDS)).bench(|| append(&logs, &keys, 1_000));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn read(bencher: Bencher<'_, '_>) {
    let (directory, keys) = (tempfile::tempdir().expect("a directory for temporary files"), keys());
    let logs = open(&directory);
    append(&logs, &keys, RECORDS);
    let bencher = bencher.counter(ItemsCount::new(RECORDS)).counter(BytesCount::new(LINE.len() * RECORDS as usize));
    bencher.bench_local(|| {
        let mut source = logs.source(Log::Health);
        let read = read_to_end(&mut source, &mut || true, &mut |record| {
            divan::black_box(record);
        });
        assert_eq!(read.expect("whole segments"), u64::from(RECORDS));
    });
}

/// Opening reads the newest segment of each partition to its end.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn open_again(bencher: Bencher<'_, '_>) {
    let (directory, keys) = (tempfile::tempdir().expect("a directory for temporary files"), keys());
    append(&open(&directory), &keys, RECORDS);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| open(&directory));
}
