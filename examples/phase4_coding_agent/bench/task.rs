use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use jarre_agent::{
    Cancel, CodecKind, Driven, Driver, Event, MemoryJournal, Outcome, Record, RuleSet, Run, Settings, Task, TestReport, ThreadTimer,
    Verdict as Said, log::Effects,
};
use jarre_core::{ChatModel, Permission, SystemClock};
use jarre_kv_store::Memory;

use super::{
    BenchArgs,
    judge::{Verdict, judge},
    place::{self, Place},
    row::{Failure, Judged, Row},
};
use crate::{
    log_file,
    machine::Machine,
    models::{Edit, Mutant, Shipped},
    tasks::TaskSpec,
};

/// Seeds that are tried until the tests see what was broken.
const SEEDS: u32 = 12;
/// The largest solution that is judged, in bytes.
const LARGEST: u64 = 1 << 20;

/// What all tasks of a bench share.
pub(super) struct Bench {
    machine: Machine,
    pub(super) cancel: Cancel,
    model: Shipped,
    remote: Option<Arc<dyn ChatModel>>,
    settings: Settings,
    mutations: usize,
    vendor: Option<PathBuf>,
    traces: Option<PathBuf>,
}

impl Bench {
    pub(super) fn new(args: &BenchArgs, machine: Machine) -> Result<Self> {
        let mut settings = Settings::default();
        settings.codec = args.codec.into();
        settings.must_test = true;
        (settings.limits.steps, settings.limits.attempts) = (args.steps, args.attempts);
        // The sandbox is the fence: nobody is there to be asked.
        settings.rules = RuleSet { rules: Vec::new(), otherwise: Said::Allow };
        if let Some(traces) = &args.traces {
            fs::create_dir_all(traces).with_context(|| format!("cannot make {}", traces.display()))?;
        }
        #[cfg(feature = "remote")]
        let remote = args.remote.model()?;
        #[cfg(not(feature = "remote"))]
        let remote = None;
        Ok(Self {
            machine,
            cancel: Cancel::new(),
            model: args.model,
            remote,
            settings,
            mutations: args.mutations,
            vendor: args.tasks.vendor()?,
            traces: args.traces.clone(),
        })
    }

    /// The model's name in the results.
    pub(super) fn name(&self) -> String {
        let name = self.remote.as_ref().map_or_else(|| self.model.name(), |model| model.info().name.clone());
        let name = if self.is_repair() { format!("{name}-{}", self.mutations) } else { name };
        if self.settings.codec == CodecKind::React { format!("{name}, react") } else { name }
    }

    pub(super) fn needs_reference(&self) -> bool {
        self.remote.is_none() && self.model.needs_reference()
    }

    fn is_repair(&self) -> bool {
        self.remote.is_none() && self.model == Shipped::Mutation
    }

    /// Runs one task; none where the bench was interrupted in it, or the task has nothing that can be broken.
    pub(super) fn run(&self, set: &str, task: &TaskSpec) -> Result<Option<Row>> {
        if self.cancel.reason().is_some() {
            return Ok(None);
        }
        let (found, edits, others) = if self.is_repair() {
            let Some(mutant) = self.broken(task)? else { return Ok(None) };
            let files = task.reference.as_ref().map(|reference| reference.files.clone()).unwrap_or_default();
            (Some(mutant.text), mutant.edits, files)
        } else {
            (None, Vec::new(), BTreeMap::new())
        };
        let mut files = place::files(task, found.as_deref());
        files.extend(others);
        let place = Place::new(&self.machine, &files, self.vendor.as_deref())?;
        let begun = Instant::now();
        let (run, records) = self.drive(task, found.as_deref().unwrap_or_default(), &place)?;
        let wall = begun.elapsed();
        if self.cancel.reason().is_some() {
            return Ok(None);
        }
        self.keep(set, task, &records)?;
        let verdict = self.judge(task, &place)?;
        Ok(Some(self.row(set, task, &run, &records, &verdict, (wall, place.is_intact(), &edits))))
    }

    fn drive(&self, task: &TaskSpec, found: &str, place: &Place) -> Result<(Run, Vec<Record>)> {
        let model = self.remote.clone().unwrap_or_else(|| self.model.model(task, found, self.settings.codec));
        let folder = place.folder.path();
        let effects = Effects::new(Arc::new(Memory::new()));
        let tools = self.machine.toolbox(folder, &task.command, task.language.format(), &self.settings.rules, &effects)?;
        let clock = Arc::new(SystemClock::new());
        let driver = Driver::new(model, tools, clock.clone()).with_timer(ThreadTimer).with_cancel(self.cancel.clone());
        let journal = MemoryJournal::new(&task.name, clock);
        let told = Task { name: task.name.clone(), instructions: task.instructions.clone(), ..Task::default() };
        let (Driven::Ended(run) | Driven::Paused(run)) =
            pollster::block_on(driver.start(&journal, &task.name, told, self.settings.clone()))?;
        Ok((run, journal.records()))
    }

    /// The reference, broken so that its tests see it.
    fn broken(&self, task: &TaskSpec) -> Result<Option<Mutant>> {
        let Some(reference) = &task.reference else { return Ok(None) };
        for seed in 0..SEEDS {
            let Some(mutant) = Mutant::of(&reference.text, task.language, self.mutations, &format!("{}/{seed}", task.name)) else {
                continue;
            };
            let verdict = judge(&self.machine, task, &mutant.text, &reference.files, self.vendor.as_deref())?;
            // What does not compile is no fault to search for, and what does not end makes every try as long as its limit.
            if verdict.judged == Judged::Failed {
                return Ok(Some(mutant));
            }
        }
        Ok(None)
    }

    fn judge(&self, task: &TaskSpec, place: &Place) -> Result<Verdict> {
        let read = |path: &str| place.folder.read(path.as_ref(), LARGEST).map(|text| String::from_utf8_lossy(&text).into_owned());
        let solution = read(&task.solution).unwrap_or_default();
        let manifest = task.files.contains_key("Cargo.toml").then(|| read("Cargo.toml").unwrap_or_default());
        let others = manifest.map(|text| ("Cargo.toml".to_owned(), text)).into_iter().collect();
        judge(&self.machine, task, &solution, &others, self.vendor.as_deref())
    }

    fn keep(&self, set: &str, task: &TaskSpec, records: &[Record]) -> Result<()> {
        let Some(folder) = &self.traces else { return Ok(()) };
        let path = folder.join(format!("{set}-{}-{}.jsonl", task.name, self.name().replace(", ", "-")));
        fs::write(&path, log_file::written(records)?).with_context(|| format!("cannot write {}", path.display()))
    }

    fn row(&self, set: &str, task: &TaskSpec, run: &Run, records: &[Record], verdict: &Verdict, rest: (Duration, bool, &[Edit])) -> Row {
        let (wall, intact, edits) = rest;
        let outcome = run.outcome().cloned().unwrap_or_else(|| Outcome::Stuck { reason: "it waits for a person".into() });
        let passed = verdict.judged == Judged::Passed && intact;
        Row {
            set: set.into(),
            task: task.name.clone(),
            model: self.name(),
            failure: Failure::of(&outcome, verdict.judged, intact),
            outcome,
            passed,
            passed_first: passed && first_green(records),
            tests: (verdict.report.passed, verdict.report.failed),
            attempts: run.attempts(),
            steps: run.steps().len() as u64,
            malformed: run.malformed(),
            usage: run.usage(),
            cost_micros: run.cost().micros(),
            wall_ms: wall.as_millis() as u64,
            judge_ms: verdict.took.as_millis() as u64,
            intact,
            broken_by: edits.iter().map(|edit| format!("line {}: `{}` to `{}`", edit.line, edit.before, edit.after)).collect(),
            reflections: run.reflections().to_vec(),
        }
    }
}

/// Whether the first tests that ran after the first change passed; where none ran, nothing speaks against it.
fn first_green(records: &[Record]) -> bool {
    let mut writes: Vec<&str> = Vec::new();
    let mut changed = false;
    for record in records {
        match &record.event {
            Event::Started { tools, .. } => {
                writes = tools.iter().filter(|tool| tool.permission == Permission::Write).map(|tool| tool.name.as_str()).collect();
            }
            Event::ToolStarted { call, .. } => changed |= writes.contains(&call.name.as_str()),
            Event::ToolFinished { output, .. } if changed => {
                let report = output.data.as_ref().and_then(|data| data.get("tests"));
                if let Some(report) = report.and_then(|report| serde_json::from_value::<TestReport>(report.clone()).ok()) {
                    return report.is_green();
                }
            }
            _ => {}
        }
    }
    true
}
