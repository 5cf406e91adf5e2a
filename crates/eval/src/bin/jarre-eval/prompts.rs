use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result};
use jarre_eval::track::{PromptVersion, Tracker};
use jarre_report::{Column, Table};
use serde_json::{Value, json};

use crate::args::{Cli, PromptsCommand};

pub fn run(cli: &Cli, tracker: &Tracker, command: &PromptsCommand) -> Result<()> {
    match command {
        PromptsCommand::Add { name, file, message, author } => {
            let version = tracker.register_prompt(name, &text(file)?, message, author)?;
            said(cli, &version);
        }
        PromptsCommand::List { name: None } => {
            for name in tracker.prompts()? {
                said(cli, &tracker.latest_prompt(&name)?);
            }
        }
        PromptsCommand::List { name: Some(name) } => list(cli, &tracker.prompt_versions(name)?)?,
        PromptsCommand::Show { prompt } => {
            let version = version(tracker, prompt)?;
            if cli.json { said(cli, &version) } else { print!("{}", version.template.text()) }
        }
        PromptsCommand::Diff { name, from, to } => print!("{}", tracker.prompt(name, *to)?.diff_from(&tracker.prompt(name, *from)?)),
        PromptsCommand::Alias { name, alias, version } => tracker.set_prompt_alias(name, alias, *version)?,
    }
    Ok(())
}

fn text(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("cannot read the standard input")?;
        return Ok(text);
    }
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn version(tracker: &Tracker, prompt: &str) -> Result<PromptVersion> {
    Ok(match prompt.split_once('@') {
        None => tracker.latest_prompt(prompt)?,
        Some((name, version)) => match version.parse() {
            Ok(version) => tracker.prompt(name, version)?,
            Err(_) => tracker.prompt_by_alias(name, version)?,
        },
    })
}

fn said(cli: &Cli, version: &PromptVersion) {
    if cli.json {
        println!("{}", as_json(version));
    } else {
        println!("{}@{} {}  {}", version.name, version.version, version.aliases.join(","), version.message);
    }
}

fn as_json(version: &PromptVersion) -> Value {
    json!({
        "name": version.name, "version": version.version, "digest": version.digest, "message": version.message, "author": version.author,
        "created": version.created.to_string(), "aliases": version.aliases, "template": version.template.text(),
        "variables": version.template.variables(),
    })
}

fn list(cli: &Cli, versions: &[PromptVersion]) -> Result<()> {
    if cli.json {
        for version in versions {
            println!("{}", as_json(version));
        }
        return Ok(());
    }
    let mut table = Table::new(["version", "aliases", "created", "author", "message"].map(Column::new));
    for version in versions {
        let (number, created) = (u64::from(version.version), version.created.to_string());
        table.row([
            number.into(),
            version.aliases.join(",").into(),
            created.into(),
            version.author.as_str().into(),
            version.message.as_str().into(),
        ])?;
    }
    print!("{}", table.to_plain_text());
    Ok(())
}
