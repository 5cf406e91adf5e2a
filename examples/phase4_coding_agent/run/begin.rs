//! How a run begins. What can be wrong with its arguments is found before anything is written, and its folder stays only where it begins.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use jarre_agent::{Cancel, Driven, Record, RuleSet, Settings, Task, Verdict, log::EventLog, tools::TestFormat};
use serde_json::{Map, json};

use super::{
    RunArgs, driver,
    folder::{self, Laid},
    who,
};
use crate::{demo, machine::Machine, store::StoreArgs};

/// What a resumed run has to know of how it began, in its task's side information.
const TEST: &str = "test";
const FORMAT: &str = "format";

pub(super) async fn start(args: &RunArgs, machine: &Machine, cancel: Cancel) -> Result<(EventLog, Driven)> {
    let (settings, work, model) = (settings(args)?, Work::of(args)?, who::begins(args)?);
    let log = args.store.log()?;
    let name = free(&log, args.name.as_deref()).await?;
    let (task, laid) = work.lay(&name, &args.store, &settings.rules)?;
    let driver = driver(args, machine, model, &log, &name, &task, &settings.rules)?.with_cancel(cancel);
    // From the first record on the folder is that of a run.
    let driver = driver.with_observer(move |_: &Record| laid.keep());
    let journal = log.create(&name).await?;
    Ok((log, driver.start(&journal, &name, task, settings).await?))
}

/// The command that runs a task's tests, and how it reports.
pub(super) fn tests_of(task: &Task) -> Result<(Vec<String>, TestFormat)> {
    let side = |key: &str| {
        task.side.get(key).cloned().with_context(|| format!("the log of the run does not say `{key}`: it is of another program"))
    };
    Ok((serde_json::from_value(side(TEST)?)?, serde_json::from_value(side(FORMAT)?)?))
}

/// The name of a new run: the one that is wanted, or one that is free.
pub(crate) async fn free(log: &EventLog, wanted: Option<&str>) -> Result<String> {
    if let Some(name) = wanted {
        if exists(log, name).await? {
            bail!("there is a run `{name}` already: `run --resume {name}` goes on with it, or take another name");
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

/// What a run is about.
enum Work {
    /// The task that comes with the program.
    Shipped,
    /// Something in a folder.
    Folder { instructions: String, repo: PathBuf, command: Vec<String>, format: TestFormat },
}

impl Work {
    fn of(args: &RunArgs) -> Result<Self> {
        let (task, repo) = match (&args.task, &args.repo) {
            (Some(task), Some(repo)) => (task, repo),
            (Some(_), None) => bail!("name the folder that the task is about: --repo DIR"),
            (None, _) => return Ok(Self::Shipped),
        };
        let repo = repo.canonicalize().with_context(|| format!("there is no folder {}", repo.display()))?;
        if !repo.is_dir() {
            bail!("{} is no folder", repo.display());
        }
        let instructions =
            if Path::new(task).is_file() { fs::read_to_string(task).with_context(|| format!("cannot read {task}"))? } else { task.clone() };
        let (command, format) = tests_in(&repo, &args.test);
        Ok(Self::Folder { instructions, repo, command, format })
    }

    /// The task, with its files in the folder of the run `name`, but not those that `rules` let nothing read.
    fn lay(self, name: &str, store: &StoreArgs, rules: &RuleSet) -> Result<(Task, Laid)> {
        let folder = store.folder(name);
        let (laid, instructions, command, format) = match self {
            Self::Shipped => {
                let task = demo::task();
                (folder::lay(&folder, &task, rules)?, task.instructions, task.command, task.language.format())
            }
            Self::Folder { instructions, repo, command, format } => {
                (folder::copy(&repo, &folder, store, rules)?, instructions, command, format)
            }
        };
        let side = json!({TEST: command, FORMAT: format});
        Ok((Task { name: name.to_owned(), instructions, side: side.as_object().cloned().unwrap_or_else(Map::new) }, laid))
    }
}

fn tests_in(repo: &Path, named: &[String]) -> (Vec<String>, TestFormat) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let has_cargo = repo.join("Cargo.toml").exists();
    let format = if has_cargo { TestFormat::Cargo } else { TestFormat::Unittest };
    match named.first().map(String::as_str) {
        None if has_cargo => (words(&["cargo", "test", "--offline"]), format),
        None => (words(&["python3", "-m", "unittest"]), format),
        Some("cargo") => (named.to_vec(), TestFormat::Cargo),
        Some("pytest") => (named.to_vec(), TestFormat::Pytest),
        Some(_) => (named.to_vec(), TestFormat::ExitCode),
    }
}

fn settings(args: &RunArgs) -> Result<Settings> {
    let mut settings = Settings::default();
    settings.codec = args.codec.into();
    settings.must_test = args.task.is_none() || !args.test.is_empty();
    settings.rules = match &args.policy {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is no policy", path.display()))?
        }
        // Writes go to a copy, and what runs is shut in.
        None => RuleSet { rules: Vec::new(), otherwise: Verdict::Allow },
    };
    Ok(settings)
}
