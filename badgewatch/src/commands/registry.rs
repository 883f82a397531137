//! `registry` and the commands that people give one by one: everything that changes the registry goes the same way.

use domain::Timestamp;
use storage::embedded::system_clock;

use crate::cli::RegistryCommand;
use crate::failure::Failure;

mod apply;
mod asked;
mod fields;
mod input;
mod known;
mod place;
mod show;
mod told;

pub(super) use asked::{dispute, exclusion, kill_switch, outage, proposal};

/// What stands for what isn't known.
const NOTHING: &str = "-";

pub(super) fn run(command: &RegistryCommand) -> Result<(), Failure> {
    match command {
        RegistryCommand::Apply(options) => apply::run(input::Lines::of(&options.file)?, &options.to, options.format),
        RegistryCommand::Import(options) => apply::run(input::Lines::imported(options, now())?, &options.to, options.output),
        RegistryCommand::Show(options) => show::show(options),
        RegistryCommand::History(options) => show::history(options),
    }
}

fn now() -> Timestamp {
    system_clock()()
}
