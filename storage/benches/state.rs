//! What a checkpoint and a restore cost: 100,000 heads of 600 bytes to a directory and back.

use divan::Bencher;
use divan::counter::ItemsCount;
use domain::decision::Issuer;
use ports::{Op, StateStores};
use storage::{S3Options, SlateStores, StateUrl};
use tempfile::TempDir;

const HEADS: u32 = 100_000;
const HEAD_BYTES: usize = 600;
/// Heads of a batch: a checkpoint writes each with its pages alone.
const BATCH: u32 = 100;
const OWNER: Issuer = Issuer::Partition(0);

fn main() {
    divan::main();
}

fn open(directory: &TempDir) -> SlateStores {
    let mut stores =
        SlateStores::at(&StateUrl::Directory(directory.path().to_owned()), &S3Options::default()).expect("a directory");
    stores.open(OWNER).expect("a store");
    stores
}

/// A head that doesn't compress.
fn head(number: u32) -> Op {
    let mut state = u64::from(number) | 1 << 40;
    let value = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    Op::Put { key: format!("head/product/B{number:09}").into_bytes(), value: value.take(HEAD_BYTES).collect() }
}

fn write(stores: &mut SlateStores) {
    let store = stores.of(OWNER).expect("it is open");
    for first in (0..HEADS).step_by(BATCH as usize) {
        store.write((first..first + BATCH).map(head).collect()).expect("it writes");
    }
    store.sync().expect("it syncs");
}

fn filled() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let mut stores = open(&directory);
    write(&mut stores);
    stores.close(OWNER).expect("it closes");
    directory
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn write_and_sync(bencher: Bencher<'_, '_>) {
    let fresh = || {
        let directory = tempfile::tempdir().expect("a directory");
        (open(&directory), directory)
    };
    bencher.counter(ItemsCount::new(HEADS)).with_inputs(fresh).bench_refs(|(stores, _)| write(stores));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn open_and_scan(bencher: Bencher<'_, '_>) {
    let directory = filled();
    bencher.counter(ItemsCount::new(HEADS)).bench(|| {
        let mut stores = open(&directory);
        let heads = stores.of(OWNER).expect("it is open").scan(b"head/").expect("it scans");
        assert_eq!(heads.len(), HEADS as usize);
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn keys(bencher: Bencher<'_, '_>) {
    let directory = filled();
    let mut stores = open(&directory);
    let store = stores.of(OWNER).expect("it is open");
    bencher
        .counter(ItemsCount::new(HEADS))
        .bench_local(|| assert_eq!(store.keys(b"head/").expect("it lists").len(), HEADS as usize));
}
