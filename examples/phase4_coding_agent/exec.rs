//! `exec`: one command in the sandbox.

use std::{ffi::OsString, io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use jarre_sandbox::{Command, Execution};

use crate::{interrupt, machine::SandboxArgs};

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// The folder that the command works in: the only one that it may write.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Works on a copy and leaves the folder as it is.
    #[arg(long)]
    pub(crate) copy: bool,
    /// Prints how it ended, what it wrote, the limits it met and the protection in force, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The command and its arguments.
    #[arg(required = true, last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Whether it ended with 0.
pub(crate) fn exec(args: &ExecArgs) -> Result<bool> {
    let machine = args.sandbox.machine(None)?;
    interrupt::cancels(&machine.cancel)?;
    let dir = args.dir.canonicalize().with_context(|| format!("there is no folder {}", args.dir.display()))?;
    let copy = args.copy.then(|| machine.sandbox.copy_of(&dir)).transpose()?;
    let dir = copy.as_ref().map_or(dir.as_path(), |copy| copy.path());
    let command = Command::new(&args.command[0], dir).with_args(&args.command[1..]);
    let execution = jarre_agent::tools::Runner::run(&machine, &command, &machine.sandbox.config().limits)?;
    if args.json {
        writeln!(std::io::stdout().lock(), "{}", serde_json::to_string(&execution)?)?;
    } else {
        tell(&execution)?;
    }
    Ok(execution.succeeded())
}

fn tell(execution: &Execution) -> Result<()> {
    write!(std::io::stdout().lock(), "{}", execution.stdout.text)?;
    eprint!("{}", execution.stderr.text);
    if !execution.succeeded() || !execution.limits_hit.is_empty() {
        eprintln!("{}", execution.exit);
    }
    for limit in &execution.limits_hit {
        eprintln!("limit met: {limit}");
    }
    for missing in &execution.protection.missing {
        eprintln!("not in force: {}: {}", missing.layer, missing.reason);
    }
    Ok(())
}
