//! `badgewatch`: configuration and wiring. The only crate that names concrete adapters.

use std::process::ExitCode;

use clap::Parser;

mod cli;
mod commands;
mod copy;
mod crash;
mod failure;
mod http;
mod table;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("badgewatch: {failure}");
            failure.exit_code()
        }
    }
}
