//! A generated fleet as ports see it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use loadtest::fleet::{Fleet, Lines};
use ports::{Polled, PortError, Record, RecordSource};

/// The events of a fleet as they arrive: partition 0, without append times.
pub(super) struct FleetSource<'a> {
    lines: Lines<'a>,
    buffer: Vec<u8>,
    offset: u64,
    ended: bool,
}

impl<'a> FleetSource<'a> {
    pub(super) fn new(fleet: &'a Fleet) -> Self {
        Self { lines: fleet.lines(), buffer: Vec::new(), offset: 0, ended: false }
    }
}

impl RecordSource for FleetSource<'_> {
    fn poll(&mut self, max_records: usize, _timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        let mut records = 0;
        while !self.ended && records < max_records {
            self.buffer.clear();
            self.ended = self.lines.next_into(&mut self.buffer).is_none();
            if !self.ended {
                each(Record { partition: 0, offset: self.offset, appended_at: None, payload: &self.buffer, truncated: false });
                self.offset += 1;
                records += 1;
            }
        }
        Ok(Polled { records, at_end: self.ended })
    }

    fn partitions(&self) -> u32 {
        1
    }

    fn next_offsets(&self) -> Vec<u64> {
        vec![self.offset]
    }
}

/// A progress bar on stderr; silent where that is no terminal.
pub(super) fn progress_bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>10} [{bar:40}] {human_pos}/{human_len} {per_sec} eta {eta}")
        .expect("the template is valid")
        .progress_chars("=> ");
    ProgressBar::new(length).with_style(style).with_message(what)
}
