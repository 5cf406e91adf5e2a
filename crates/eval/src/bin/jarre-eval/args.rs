use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jarre_eval::compare::Units;

/// Measures language models so that one can decide from it: runs experiments, compares runs by pairs of items, and gates on the result.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    /// The file with experiments, runs, prompts and feedback; made where there is none.
    #[arg(long, global = true, env = "JARRE_EVAL_DB", default_value = "jarre-eval.db")]
    pub db: PathBuf,
    /// Prints JSON.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  jarre-eval run gsm8k.toml                             asks every model of the file; the same again goes on where it ended
  jarre-eval runs --filter \"metrics.exact_match > 0.5\"   what there is
  jarre-eval compare BASELINE CANDIDATE                 is the difference real, and how large is it
  jarre-eval gate main candidate --margin 0.01 --junit gate.xml
  jarre-eval sweep gsm8k.toml --html sweep.html         every combination of the file's [sweep]
  jarre-eval export html RUN RUN --out report.html      items side by side, in one file

A run is named by its id, by the beginning of it, or by a name that only one run has; `NAME@latest` is the last of that name.

Exit codes: 0 done, the gate passes; 1 failed; 2 the command is wrong; 100 the gate fails; 101 it cannot tell, more items would; 102 the
runs cannot be compared; 130 interrupted, start it again to go on.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs an experiment: asks its models what they have not been asked yet, and scores the answers.
    Run(RunArgs),
    /// Runs every combination of an experiment's [sweep], each as a run, and compares them with the first.
    Sweep(RunArgs),
    /// Lists runs.
    Runs(ListArgs),
    /// Shows a run: where its figures come from, and what they are.
    Show(ShowArgs),
    /// Compares two runs by pairs of items.
    Compare(CompareArgs),
    /// Decides whether a run may take the place of another.
    Gate(GateArgs),
    /// Scores the answers of a run anew, by an experiment's metrics, without asking for them again.
    Rescore(RescoreArgs),
    /// Holds a judge against answers that people labelled, and keeps what it is worth: gates rest on no other.
    Calibrate(CalibrateArgs),
    /// Keeps prompts: versions that do not change, and aliases that move.
    #[command(subcommand)]
    Prompts(PromptsCommand),
    /// Collects what people say of answers.
    #[command(subcommand)]
    Feedback(FeedbackCommand),
    /// Writes runs to a file.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Reads runs that `export bundle` wrote, or a folder `mlruns` of `MLflow`.
    Import(ImportArgs),
    /// Follows a run until it ends.
    Watch(WatchArgs),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The experiment's TOML file.
    pub experiment: PathBuf,
    /// Only these of its models.
    #[arg(long = "model", value_name = "NAME")]
    pub models: Vec<String>,
    /// Draws so many items, in the place of the file's `sample`.
    #[arg(long, value_name = "ITEMS")]
    pub sample: Option<usize>,
    /// Answers that are asked for at once, in the place of the file's.
    #[arg(long)]
    pub concurrency: Option<usize>,
    /// Starts runs of their own even where there are some that could go on.
    #[arg(long)]
    pub fresh: bool,
    /// Asks models again whatever they said before.
    #[arg(long)]
    pub no_cache: bool,
    /// Writes the report of all models here.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Says nothing while it runs.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only runs of this experiment.
    #[arg(long)]
    pub experiment: Option<String>,
    /// Only runs for which this holds: `metrics.accuracy > 0.5 and params.model = 'a'`.
    #[arg(long, default_value = "")]
    pub filter: String,
    /// By what they are ordered: `created`, `name`, `metrics.accuracy`; `-` before it turns the order round.
    #[arg(long, default_value = "-created", allow_hyphen_values = true)]
    pub sort: String,
    /// Metrics and parameters that are shown: `metrics.accuracy,params.model`.
    #[arg(long, value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Runs that are shown.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    /// Goes on behind a page: what it printed at its end.
    #[arg(long)]
    pub after: Option<String>,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run.
    pub run: String,
    /// Also its answers, or only the one to this item.
    #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "ITEM")]
    pub answers: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct PairArgs {
    /// The run that is compared with.
    pub baseline: String,
    /// The run that is compared.
    pub candidate: String,
    /// The metric that decides; the experiment's first where it is not given.
    #[arg(long)]
    pub metric: Option<String>,
    /// A lower figure of it is better.
    #[arg(long)]
    pub lower_is_better: bool,
    /// How the items hang together: `auto` takes clusters where items name them, else strata, else none.
    #[arg(long, value_enum, default_value_t)]
    pub units: Units,
    /// How sure intervals are.
    #[arg(long, default_value_t = 0.95)]
    pub confidence: f64,
    /// Seeds resampling.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Compares runs all the same whose items or scorers differ.
    #[arg(long)]
    pub force: bool,
    /// Writes a table in Markdown here.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Writes the report here.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct GateArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// A TOML file with the policy; what is given here goes before what stands there.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// How much worse the candidate may be, in the metric's own unit: 0.01 is a point of a share.
    #[arg(long)]
    pub margin: Option<f64>,
    /// How much worse it may be in any stratum.
    #[arg(long)]
    pub slice_margin: Option<f64>,
    /// The largest share of answers that may have failed or have no figure.
    #[arg(long)]
    pub max_errors: Option<f64>,
    /// How many times as long the candidate's 95th percentile of latencies may be.
    #[arg(long)]
    pub max_latency_ratio: Option<f64>,
    /// How many times as much an answer may cost.
    #[arg(long)]
    pub max_cost_ratio: Option<f64>,
    /// Writes the checks as `JUnit`'s XML here.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Writes the checks in Markdown here, as for a pull request.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RescoreArgs {
    /// The run.
    pub run: String,
    /// The experiment's TOML file, whose `extract` and `metrics` are applied.
    #[arg(long)]
    pub experiment: PathBuf,
    /// Why.
    #[arg(long, default_value = "scored again")]
    pub reason: String,
}

#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The experiment's TOML file, with the judge in its [[judges]].
    pub experiment: PathBuf,
    /// The judge, where there are several.
    #[arg(long)]
    pub judge: Option<String>,
    /// The labels: JSONL with `question`, `answer`, `label`, and where there is one `reference` and `context`.
    #[arg(long)]
    pub labels: PathBuf,
    /// How often each answer is judged, to see how often the verdict flips.
    #[arg(long, default_value = "1")]
    pub repeats: std::num::NonZeroU32,
}

#[derive(Debug, Subcommand)]
pub enum PromptsCommand {
    /// Adds a version of a prompt; the text of the last one gives that.
    Add {
        /// The prompt's name.
        name: String,
        /// The file with its text; `-` for the standard input.
        file: PathBuf,
        /// Why it is as it is.
        #[arg(long, short, default_value = "")]
        message: String,
        /// Who says so.
        #[arg(long, env = "USER", default_value = "")]
        author: String,
    },
    /// Lists prompts, or the versions of one.
    List {
        /// The prompt's name.
        name: Option<String>,
    },
    /// Prints the text of a version: `name`, `name@3`, `name@production`.
    Show {
        /// The version.
        prompt: String,
    },
    /// Shows what changed between two versions.
    Diff {
        /// The prompt's name.
        name: String,
        /// The earlier version.
        from: u32,
        /// The later one.
        to: u32,
    },
    /// Points an alias at a version.
    Alias {
        /// The prompt's name.
        name: String,
        /// The alias.
        alias: String,
        /// The version.
        version: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum FeedbackCommand {
    /// Says something of an answer.
    Give(GiveArgs),
    /// Lists what was said of an answer.
    On {
        /// The run.
        run: String,
        /// The item.
        item: String,
        /// Which of the repeats.
        #[arg(long, default_value_t = 0)]
        repeat: u32,
    },
    /// Takes back what was said, by its number: the scorer's own score counts again.
    Clear {
        /// The number.
        number: i64,
    },
    /// Puts answers of a run into a queue, for people to look at.
    Enqueue {
        /// The queue.
        queue: String,
        /// The run.
        run: String,
        /// Only answers whose figure of this metric is below 1.
        #[arg(long, value_name = "METRIC")]
        failures_of: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Shows answers of a queue one by one and reads what to make of each: `+` good, `-` bad, `= TEXT` what it should have been, `skip`, `quit`.
    Review {
        /// The queue.
        queue: String,
        /// Who looks.
        #[arg(long, env = "USER")]
        author: String,
    },
    /// How far a queue is.
    Progress {
        /// The queue.
        queue: String,
    },
    /// Makes a version of a dataset of a queue's finished items, and writes it as JSONL.
    ToDataset {
        /// The queue.
        queue: String,
        /// The dataset's name.
        name: String,
        /// The file; `-` for the standard output.
        #[arg(long, short, default_value = "-")]
        out: PathBuf,
    },
    /// Writes answers that were corrected as pairs of a chosen and a rejected answer, as preference training takes them.
    Pairs {
        /// The queue.
        queue: String,
        /// The file; `-` for the standard output.
        #[arg(long, short, default_value = "-")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct GiveArgs {
    /// The run.
    pub run: String,
    /// The item.
    pub item: String,
    /// Which of the repeats.
    #[arg(long, default_value_t = 0)]
    pub repeat: u32,
    /// Who says so.
    #[arg(long, env = "USER")]
    pub author: String,
    /// Good (`up`) or bad (`down`).
    #[arg(long, value_parser = ["up", "down"])]
    pub thumb: Option<String>,
    /// A score in the place of a scorer's: `exact_match=1`. It counts until it is taken back.
    #[arg(long, value_name = "METRIC=VALUE")]
    pub score: Option<String>,
    /// What there is to say.
    #[arg(long)]
    pub text: Option<String>,
    /// What the answer should have been.
    #[arg(long)]
    pub correction: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Runs with their answers, as JSON.
    Json(ExportArgs),
    /// Answers, one a row. Cells that a spreadsheet would run as formulas are quoted.
    Csv(ExportArgs),
    /// Answers side by side, in a page that needs no server.
    Html(ExportArgs),
    /// Runs with everything, as `import` reads them.
    Bundle(ExportArgs),
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The runs; the first is what others are compared with.
    #[arg(required = true)]
    pub runs: Vec<String>,
    /// The file; `-` for the standard output.
    #[arg(long, short, default_value = "-")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The bundle, or the folder.
    pub from: PathBuf,
    /// Gives runs whose ids are there already others, in the place of refusing them.
    #[arg(long)]
    pub rename: bool,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The run.
    pub run: String,
    /// Seconds between looks.
    #[arg(long, default_value_t = 1.0)]
    pub interval: f64,
}
