use clap::{Parser, Subcommand};

use crate::{
    bench::{BenchArgs, VerifyArgs},
    exec::ExecArgs,
    export::ExportArgs,
    replay::ReplayArgs,
    run::{ApproveArgs, RunArgs},
    runs::RunsArgs,
};

/// A coding agent: runs a task in a sandbox, is measured on task sets, replayed and looked at.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  phase4_coding_agent run
  phase4_coding_agent run --name careful --policy policy.json < /dev/null
  phase4_coding_agent approve careful
  phase4_coding_agent approve careful 3f2a yes
  phase4_coding_agent run --resume careful
  phase4_coding_agent runs
  phase4_coding_agent replay demo
  phase4_coding_agent export demo --as html --out demo.html
  phase4_coding_agent serve                                        (built with --features server)
  phase4_coding_agent exec --dir . --copy -- sh -c 'id; ls -l; cat /etc/shadow'
  phase4_coding_agent exec --dir work --memory 64 --wall 2 --json -- python3 run.py
  phase4_coding_agent verify --data data --set humaneval-py,written
  phase4_coding_agent bench --data data --set humaneval-py --model mutation --attempts 8 --html bench.html

A policy: {\"rules\": [{\"verdict\": \"ask\", \"class\": \"write\"}], \"otherwise\": \"allow\"}

The exit code is 0 where all went well, 1 where something did not, and 2 where the command itself failed.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a task: plans, codes, tests and reflects; the shipped task with a scripted model where none is named.
    Run(Box<RunArgs>),
    /// Shows what a run waits for, or answers it.
    Approve(ApproveArgs),
    /// Lists the runs of a store.
    Runs(RunsArgs),
    /// Runs a log once more and compares, or begins another run with a part of it.
    Replay(ReplayArgs),
    /// Writes a run as a page, as the lines of its log, or as spans of OpenTelemetry.
    Export(ExportArgs),
    /// Shows the runs of a store in a browser, live, and takes approvals there.
    #[cfg(feature = "server")]
    Serve(crate::serve::ServeArgs),
    /// Runs one command in the sandbox.
    Exec(ExecArgs),
    /// Runs task sets in the sandbox, beside each other; a bench that was ended goes on where it was.
    Bench(Box<BenchArgs>),
    /// Checks that the references of task sets pass in the sandbox and that their stubs fail.
    Verify(VerifyArgs),
}
