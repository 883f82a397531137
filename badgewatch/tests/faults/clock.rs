//! A wall clock that jumps, in processes that preload `clock.c`. (libfaketime leaves out the waits of librdkafka.)

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadtest::dice::Dice;

/// Farthest jump, in hours.
const JUMP_HOURS_MAX: i64 = 72;
const HOUR_S: i64 = 3_600;

/// How far from the machine's the clock of processes is.
pub(crate) struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// One that is right, told by a file in a folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let clock = Self { library: folder.join("clock.so"), file: folder.join("clock") };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/clock.c");
        let options = ["-shared", "-fPIC", "-O2", source, "-ldl", "-lpthread", "-o"];
        assert!(Command::new("cc").args(options).arg(&clock.library).status().unwrap().success(), "cc compiles clock.c");
        clock.set(0);
        clock
    }

    /// Jumps to so many seconds ahead of the machine's clock, or behind it; processes see it at once.
    pub(crate) fn set(&self, ahead_s: i64) {
        // In place and never shorter, as processes have it mapped.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.file).unwrap();
        file.write_all_at(&ahead_s.to_ne_bytes(), 0).unwrap();
    }

    /// Jumps anywhere; yields how many seconds ahead it is.
    pub(crate) fn jump(&self, dice: &mut Dice) -> i64 {
        let hours = dice.between(1, JUMP_HOURS_MAX) * if dice.chance(500_000) { 1 } else { -1 };
        println!("the clock is {hours} hours ahead");
        self.set(hours * HOUR_S);
        hours * HOUR_S
    }

    /// What a process needs in its environment to go by this clock.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        [("LD_PRELOAD", text(&self.library)), ("BADGEWATCH_TEST_CLOCK", text(&self.file))]
    }
}
