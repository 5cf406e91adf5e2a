//! `run`: one task, from its plan to its end or to a pause.

mod approve;
mod ask;
mod begin;
mod folder;
mod follow;
mod over;
mod who;

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use clap::{Args, ValueEnum};
use jarre_agent::{
    Cancel, Driven, Driver, Record, RuleSet, Run, Task, ThreadTimer,
    log::{Effects, EventLog, checked_name},
    memory::ReflectionMemory,
};
use jarre_core::ChatModel;
use serde_json::Value;

pub(crate) use approve::{ApproveArgs, approve};
pub(crate) use begin::free;
pub(crate) use folder::copy_again;

use crate::{
    bench::Codec,
    durable, interrupt,
    machine::{Machine, SandboxArgs},
    store::StoreArgs,
};
use ask::Ask;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What is to be done: a text, or a file that holds it. Without it and a folder, the task that comes with the program.
    #[arg(long, value_name = "FILE|TEXT")]
    pub(crate) task: Option<String>,
    /// The folder that it is about. The agent works on a copy.
    #[arg(long, value_name = "DIR", requires = "task")]
    pub(crate) repo: Option<PathBuf>,
    /// The command that runs its tests, in words; `cargo test` where there is a `Cargo.toml`, `python3 -m unittest` elsewhere.
    #[arg(long, value_name = "CMD", num_args = 1.., requires = "repo")]
    pub(crate) test: Vec<String>,
    /// Goes on with this run, which was paused or broken off.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["task", "name"])]
    pub(crate) resume: Option<String>,
    /// The run's name; without it `demo`, or the first of `demo-2`, `demo-3` and so on that is free.
    #[arg(long, value_parser = run_name)]
    pub(crate) name: Option<String>,
    #[cfg(feature = "remote")]
    #[command(flatten)]
    pub(crate) remote: crate::models::RemoteArgs,
    /// How calls of tools are written.
    #[arg(long, value_enum, default_value_t = Codec::Native)]
    pub(crate) codec: Codec,
    /// Rules of what may be done, as JSON; without it files may be read and written, and code be run in the sandbox. What they keep from
    /// being read (a rule that denies a path, and names no tool and no class but `read`) is left out of the copy, so that commands do not see it
    /// either; all other rules on paths speak of the tools that are given one, and do not bind commands.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// What becomes of calls that the rules ask for.
    #[arg(long, value_enum, default_value_t = Approve::Ask)]
    pub(crate) approve: Approve,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Prints the records of the log as they are written, one a line, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Approve {
    /// A person at the terminal is asked; where there is none the run pauses, and `approve` answers.
    Ask,
    /// They are made.
    Auto,
    /// They are not made.
    Deny,
}

/// A name that a run may have.
pub(crate) fn run_name(name: &str) -> Result<String, jarre_agent::Error> {
    checked_name(name).map(str::to_owned)
}

/// Whether the agent says that it is done.
pub(crate) fn run(args: &RunArgs) -> Result<bool> {
    let machine = args.sandbox.machine(None)?;
    let cancel = Cancel::new();
    interrupt::on_first({
        let (cancel, commands) = (cancel.clone(), machine.cancel.clone());
        move || {
            cancel.cancel("interrupted");
            commands.cancel();
        }
    })?;
    let (log, driven) = pollster::block_on(async {
        match &args.resume {
            Some(name) => resume(args, &machine, name, cancel).await,
            None => begin::start(args, &machine, cancel).await,
        }
    })?;
    over::tell(args, &log, &driven)
}

/// Goes on with a run; one that is over stays so.
async fn resume(args: &RunArgs, machine: &Machine, name: &str, cancel: Cancel) -> Result<(EventLog, Driven)> {
    let log = args.store.kept()?;
    let (journal, records) = log.open(name).await?;
    folder::begun(&args.store.folder(name));
    let run = Run::replay(&records)?;
    if run.has_ended() {
        return Ok((log, Driven::Ended(run)));
    }
    let model = who::goes_on(args, run.settings().codec, &records)?;
    let driver = driver(args, machine, model, &log, name, run.task(), &run.settings().rules)?.with_cancel(cancel);
    Ok((log, driver.resume(&journal, run).await?))
}

/// What drives the run `name` at `task`, and learns from earlier runs of the store; likeness is measured by words.
fn driver(
    args: &RunArgs,
    machine: &Machine,
    model: Arc<dyn ChatModel>,
    log: &EventLog,
    name: &str,
    task: &Task,
    rules: &RuleSet,
) -> Result<Driver> {
    let (command, format) = begin::tests_of(task)?;
    let effects = Effects::new(log.store().clone());
    let tools = machine.toolbox(&args.store.folder(name), &command, format, rules, &effects)?;
    let follow = follow::Follow { json: args.json };
    let lessons = ReflectionMemory::new(log.store().clone(), log.clock().clone());
    let driver = Driver::new(model, tools, Arc::new(jarre_core::SystemClock::new()));
    let driver = driver.with_kept_keys(durable::KEPT).with_timer(ThreadTimer).with_observer(move |record: &Record| follow.tell(record));
    Ok(driver.with_approvals(Ask { approve: args.approve }).with_lessons(lessons))
}

/// A value as text: a string as it is.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use jarre_agent::{Event, Outcome, replay::branch};
    use jarre_sandbox::Layer;
    use pollster::block_on;

    use super::*;
    use crate::demo;

    /// The arguments of a run with its store in `folder`, in whatever the sandbox has here.
    fn args(folder: &Path, more: &[&str]) -> RunArgs {
        let mut words = vec!["phase4_coding_agent".to_owned(), "run".into(), "--db".into(), folder.join("agent.db").display().to_string()];
        words.extend(Layer::ALL.iter().map(|layer| format!("--allow-missing={}", layer.name())));
        words.extend(more.iter().map(|word| (*word).to_owned()));
        match crate::args::Cli::parse_from(words).command {
            crate::args::Command::Run(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn machine(args: &RunArgs) -> Machine {
        args.sandbox.machine(None).unwrap()
    }

    #[test]
    fn a_run_that_was_killed_as_an_edit_was_begun_makes_it_when_it_goes_on() {
        let place = tempfile::tempdir().unwrap();
        let args = args(place.path(), &["--name", "whole"]);
        let machine = machine(&args);
        let (log, _) = block_on(begin::start(&args, &machine, Cancel::new())).unwrap();
        let records = block_on(log.read("whole", 0)).unwrap();
        let is_edit = |record: &Record| matches!(&record.event, Event::ToolStarted { call, .. } if call.name == "file_edit");
        let begun = records.iter().position(is_edit).unwrap();

        // The log as a kill behind that record leaves it, and the files as they were then.
        drop(block_on(branch(&log, "whole", begun as u64 + 1, None, "cut")).unwrap());
        drop(log);
        let folder = args.store.folder("cut");
        folder::lay(&folder, &demo::task(), &RuleSet::default()).unwrap().keep();
        let (log, driven) = block_on(resume(&args, &machine, "cut", Cancel::new())).unwrap();
        let records = block_on(log.read("cut", 0)).unwrap();
        let Event::ToolFinished { output, .. } = &records[begun + 1].event else { panic!("{:?}", records[begun + 1]) };
        assert!(!output.is_error, "{}", output.text);
        assert!(std::fs::read_to_string(folder.join("intervals.rs")).unwrap().contains("intervals.sort()"));
        assert!(matches!(driven.run().outcome(), Some(Outcome::Done { .. })), "{:?}", driven.run().outcome());
    }

    #[test]
    fn a_run_that_cannot_begin_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let repo = tempfile::tempdir().unwrap();
        let args = args(place.path(), &["--task", "mend it", "--repo", &repo.path().display().to_string(), "--name", "fix"]);
        let said = block_on(begin::start(&args, &machine(&args), Cancel::new())).err().unwrap();
        assert!(said.to_string().contains("--url"), "{said}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
