//! `jarre-eval`: runs experiments, compares their runs, and decides.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to its terminal")]
#![expect(unreachable_pub, reason = "nothing stands above a program")]

mod args;
mod compare;
mod export;
mod feedback;
mod gate;
mod import;
mod judge;
mod locate;
mod model;
mod progress;
mod prompts;
mod rescore;
mod run;
mod runs;
mod show;
mod style;
mod sweep;
mod watch;

use std::{io, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use jarre_core::SystemClock;
use jarre_eval::track::Tracker;

use args::{Cli, Command};

/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads what is printed may have seen enough.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<u8> {
    let tracker = Tracker::open(&cli.db, Arc::new(SystemClock::new())).with_context(|| format!("cannot open {}", cli.db.display()))?;
    match &cli.command {
        Command::Run(args) => run::run(cli, &tracker, args),
        Command::Sweep(args) => sweep::run(cli, &tracker, args),
        Command::Runs(args) => runs::list(cli, &tracker, args).map(done),
        Command::Show(args) => show::run(cli, &tracker, args).map(done),
        Command::Compare(args) => compare::run(cli, &tracker, args),
        Command::Gate(args) => gate::run(cli, &tracker, args),
        Command::Rescore(args) => rescore::run(cli, &tracker, args).map(done),
        Command::Calibrate(args) => judge::calibrate(cli, &tracker, args).map(done),
        Command::Prompts(command) => prompts::run(cli, &tracker, command).map(done),
        Command::Feedback(command) => feedback::run(cli, &tracker, command).map(done),
        Command::Export(command) => export::run(&tracker, command).map(done),
        Command::Import(args) => import::run(cli, &tracker, args).map(done),
        Command::Watch(args) => watch::run(cli, &tracker, args),
    }
}

fn done((): ()) -> u8 {
    0
}
