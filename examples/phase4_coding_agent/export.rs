//! `export`: a run as a page, as the lines of its log, or as spans of OpenTelemetry.

use std::{fs, io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use jarre_agent::{
    Record,
    trace::{TraceOptions, otlp},
    view::{HtmlOptions, Story, Terminal, html},
};

use crate::{log_file, store::StoreArgs};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The run.
    #[arg(required_unless_present = "file")]
    pub(crate) run: Option<String>,
    /// Reads a log that was exported, in the place of one of the store.
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    pub(crate) file: Option<PathBuf>,
    /// What it becomes.
    #[arg(long = "as", value_enum, default_value_t = Form::Html)]
    pub(crate) form: Form,
    /// Where it is written; standard output where it is not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// One page that needs no server.
    Html,
    /// The records, one a line: they can be read back and checked.
    Jsonl,
    /// OTLP/JSON, as collectors take it.
    Otlp,
    /// Text for a terminal.
    Text,
}

/// Always well.
pub(crate) fn export(args: &ExportArgs) -> Result<bool> {
    let records = match (&args.file, &args.run) {
        (Some(file), _) => log_file::read(file)?,
        (None, Some(run)) => pollster::block_on(args.store.kept()?.read(run, 0))?,
        (None, None) => Vec::new(),
    };
    let text = written(&records, args.form)?;
    match &args.out {
        Some(path) => fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(true)
}

fn written(records: &[Record], form: Form) -> Result<String> {
    let story = || Story::of(records);
    Ok(match form {
        Form::Html => html(&story(), &HtmlOptions::default()),
        Form::Jsonl => log_file::written(records)?,
        Form::Otlp => otlp(&story(), &TraceOptions::default()),
        Form::Text => Terminal::new(120).story(&story()),
    })
}
