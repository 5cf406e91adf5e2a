//! `run`: one task, from its plan to its end or to a pause.

mod approve;
mod ask;
mod folder;
mod follow;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use jarre_agent::{
    Cancel, Driven, Driver, Outcome, Record, RuleSet, Run, Settings, Task, ThreadTimer, Verdict,
    log::{EventLog, LogWriter},
    memory::ReflectionMemory,
    tools::TestFormat,
};
use jarre_core::ChatModel;
use serde_json::{Map, Value, json};

pub(crate) use approve::{ApproveArgs, approve};

use crate::{
    bench::Codec,
    demo, interrupt,
    machine::{Machine, SandboxArgs},
    models::Acting,
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
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[cfg(feature = "remote")]
    #[command(flatten)]
    pub(crate) remote: crate::models::RemoteArgs,
    /// How calls of tools are written.
    #[arg(long, value_enum, default_value_t = Codec::Native)]
    pub(crate) codec: Codec,
    /// Rules of what may be done, as JSON; without it files may be read and written, and code be run in the sandbox.
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

/// What a resumed run has to know of how it began, in its task's side information.
const TEST: &str = "test";
const FORMAT: &str = "format";

/// Whether the agent says that it is done.
pub(crate) fn run(args: &RunArgs) -> Result<bool> {
    let machine = args.sandbox.machine(None)?;
    let log = args.store.log()?;
    let name = match &args.resume {
        Some(name) => name.clone(),
        None => pollster::block_on(free(&log, args.name.as_deref()))?,
    };
    let folder = args.store.folder(&name);
    let (cancel, commands) = (Cancel::new(), machine.cancel.clone());
    interrupt::on_first({
        let cancel = cancel.clone();
        move || {
            cancel.cancel("interrupted");
            commands.cancel();
        }
    })?;
    let driven = match &args.resume {
        Some(name) => pollster::block_on(resume(args, &machine, &log, name, &folder, cancel))?,
        None => pollster::block_on(start(args, &machine, &log, &name, &folder, cancel))?,
    };
    tell(args, &driven, &folder)
}

/// The name of a new run: the one that is wanted, or one that is free.
async fn free(log: &EventLog, wanted: Option<&str>) -> Result<String> {
    if let Some(name) = wanted {
        if exists(log, name).await? {
            bail!("there is a run `{name}` already: `run --resume {name}` goes on with it, or take another --name");
        }
        return Ok(name.to_owned());
    }
    let mut name = "demo".to_owned();
    let mut number = 1;
    while exists(log, &name).await? {
        number += 1;
        name = format!("demo-{number}");
    }
    Ok(name)
}

async fn exists(log: &EventLog, name: &str) -> Result<bool> {
    match log.summary(name).await {
        Ok(_) => Ok(true),
        Err(jarre_agent::Error::NoRun { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is written to the log before all that can be wrong with the arguments was found right.
async fn start(args: &RunArgs, machine: &Machine, log: &EventLog, name: &str, folder: &Path, cancel: Cancel) -> Result<Driven> {
    let settings = settings(args)?;
    let task = task(args, name, folder)?;
    let driver = driver(args, machine, &task, folder, &[])?.with_lessons(lessons(log)).with_cancel(cancel);
    let journal = log.create(name).await?;
    Ok(driver.start(&journal, name, task, settings).await?)
}

async fn resume(args: &RunArgs, machine: &Machine, log: &EventLog, name: &str, folder: &Path, cancel: Cancel) -> Result<Driven> {
    let (journal, records): (LogWriter, Vec<Record>) = log.open(name).await?;
    let run = Run::replay(&records)?;
    let driver = driver(args, machine, run.task(), folder, &records)?.with_lessons(lessons(log)).with_cancel(cancel);
    Ok(driver.resume(&journal, run).await?)
}

/// What earlier runs of the store learnt; likeness is measured by words.
fn lessons(log: &EventLog) -> ReflectionMemory {
    ReflectionMemory::new(log.store().clone(), log.clock().clone())
}

fn driver(args: &RunArgs, machine: &Machine, task: &Task, folder: &Path, records: &[Record]) -> Result<Driver> {
    let side = |key: &str| {
        task.side.get(key).cloned().with_context(|| format!("the log of the run does not say `{key}`: it is of another program"))
    };
    let (command, format): (Vec<String>, TestFormat) = (serde_json::from_value(side(TEST)?)?, serde_json::from_value(side(FORMAT)?)?);
    let tools = machine.toolbox(folder, &command, format)?;
    let follow = follow::Follow { json: args.json };
    let driver = Driver::new(model(args, records)?, tools, Arc::new(jarre_core::SystemClock::new()));
    let driver = driver.with_timer(ThreadTimer).with_observer(move |record: &Record| follow.tell(record));
    Ok(driver.with_approvals(Ask { approve: args.approve }))
}

fn model(args: &RunArgs, records: &[Record]) -> Result<Arc<dyn ChatModel>> {
    #[cfg(feature = "remote")]
    if let Some(model) = args.remote.model()? {
        return Ok(model);
    }
    if args.task.is_some() {
        bail!(
            "the model that comes with the program knows one task alone: name another by --url and --model-name (built with --features remote)"
        );
    }
    Ok(Arc::new(Acting::new("demo", args.codec.into(), demo::script()).after(records)))
}

/// The task, laid in `folder`.
fn task(args: &RunArgs, name: &str, folder: &Path) -> Result<Task> {
    let (instructions, command, format) = match (&args.task, &args.repo) {
        (Some(task), Some(repo)) => {
            folder::copy(repo, folder)?;
            let text = if Path::new(task).is_file() { std::fs::read_to_string(task)? } else { task.clone() };
            let (command, format) = tests_of(args, repo);
            (text, command, format)
        }
        (Some(_), None) => bail!("name the folder that the task is about: --repo DIR"),
        (None, _) => {
            let task = demo::task();
            folder::lay(folder, &task)?;
            (task.instructions, task.command, task.language.format())
        }
    };
    let side = json!({TEST: command, FORMAT: format});
    Ok(Task { name: name.to_owned(), instructions, side: side.as_object().cloned().unwrap_or_else(Map::new) })
}

fn tests_of(args: &RunArgs, repo: &Path) -> (Vec<String>, TestFormat) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let has_cargo = repo.join("Cargo.toml").exists();
    let format = if has_cargo { TestFormat::Cargo } else { TestFormat::Unittest };
    match args.test.first().map(String::as_str) {
        None if has_cargo => (words(&["cargo", "test", "--offline"]), format),
        None => (words(&["python3", "-m", "unittest"]), format),
        Some("cargo") => (args.test.clone(), TestFormat::Cargo),
        Some("pytest") => (args.test.clone(), TestFormat::Pytest),
        Some(_) => (args.test.clone(), TestFormat::ExitCode),
    }
}

fn settings(args: &RunArgs) -> Result<Settings> {
    let mut settings = Settings::default();
    settings.codec = args.codec.into();
    settings.must_test = args.task.is_none() || !args.test.is_empty();
    settings.rules = match &args.policy {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is no policy", path.display()))?
        }
        // Writes go to a copy, and what runs is shut in.
        None => RuleSet { rules: Vec::new(), otherwise: Verdict::Allow },
    };
    Ok(settings)
}

fn tell(args: &RunArgs, driven: &Driven, folder: &Path) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let name = driven.run().name();
    match driven {
        _ if args.json => {}
        Driven::Paused(_) => writeln!(
            out,
            "\npaused: a person has to decide. `approve {name}` shows what and answers, then `run --resume {name}` goes on, today or another day"
        )?,
        Driven::Ended(_) => writeln!(out, "\nthe files are in {}", folder.display())?,
    }
    Ok(matches!(driven, Driven::Ended(run) if matches!(run.outcome(), Some(Outcome::Done { .. }))))
}

/// A value as text: a string as it is.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Copies what a run worked on, for a run that branches off.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    folder::copy(from, to)
}
