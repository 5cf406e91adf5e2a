use std::{
    io::{self, BufRead, Write},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use jarre_eval::{
    Sample,
    track::{Feedback, FeedbackTarget, PreferencePair, QueueItem, SampleTexts, Tracker, Verdict},
};
use serde_json::json;

use crate::{
    args::{Cli, FeedbackCommand, GiveArgs},
    export::write,
    locate,
};

/// How long an answer that somebody looks at is kept from others.
const LEASE: Duration = Duration::from_mins(30);

pub fn run(cli: &Cli, tracker: &Tracker, command: &FeedbackCommand) -> Result<()> {
    match command {
        FeedbackCommand::Give(args) => give(cli, tracker, args),
        FeedbackCommand::On { run, item, repeat } => {
            let target = target(tracker, run, item, *repeat)?;
            tracker.feedback_on(&target)?.iter().for_each(|feedback| show(cli, feedback));
            Ok(())
        }
        FeedbackCommand::Clear { number } => clear(tracker, *number),
        FeedbackCommand::Enqueue { queue, run, failures_of, limit } => enqueue(tracker, queue, run, failures_of.as_deref(), *limit),
        FeedbackCommand::Review { queue, author } => review(tracker, queue, author),
        FeedbackCommand::Progress { queue } => progress(cli, tracker, queue),
        FeedbackCommand::ToDataset { queue, name, out } => {
            let version = tracker.dataset_from_queue(queue, name)?;
            eprintln!("{} version {}: {} items, {}", version.name, version.version, version.items, version.digest);
            write(out, |out| Ok(out.write_all(version.rows.as_bytes())?))
        }
        FeedbackCommand::Pairs { queue, out } => {
            let pairs = tracker.preference_pairs(queue)?;
            write(out, |out| Ok(out.write_all(PreferencePair::to_jsonl(&pairs).as_bytes())?))
        }
    }
}

fn target(tracker: &Tracker, run: &str, item: &str, repeat: u32) -> Result<FeedbackTarget> {
    Ok(FeedbackTarget::Sample { run: locate::run(tracker, run)?.id, item: item.to_owned(), repeat })
}

fn give(cli: &Cli, tracker: &Tracker, args: &GiveArgs) -> Result<()> {
    let score = args.score.as_deref().map(scored).transpose()?;
    let thumb = args.thumb.as_deref().map(|thumb| thumb == "up");
    let verdict = Verdict { thumb, score, text: args.text.clone(), correction: args.correction.clone() };
    let target = target(tracker, &args.run, &args.item, args.repeat)?;
    tracker.give_feedback(&target, &args.author, &verdict)?;
    tracker.feedback_on(&target)?.last().into_iter().for_each(|feedback| show(cli, feedback));
    Ok(())
}

fn scored(text: &str) -> Result<(String, f64)> {
    let (metric, value) = text.split_once('=').context("--score is METRIC=VALUE, as exact_match=1")?;
    let value: f64 = value.parse().with_context(|| format!("`{value}` is no number"))?;
    Ok((metric.to_owned(), value))
}

fn show(cli: &Cli, feedback: &Feedback) {
    let Verdict { thumb, score, text, correction } = &feedback.verdict;
    let (number, cleared) = (json!(feedback.id), feedback.cleared.is_some());
    if cli.json {
        let (author, created) = (&feedback.author, feedback.created.to_string());
        println!(
            "{}",
            json!({"number": number, "author": author, "created": created, "cleared": cleared, "thumb": thumb, "score": score, "text": text, "correction": correction})
        );
        return;
    }
    let thumb = thumb.map_or("", |up| if up { " good" } else { " bad" });
    let score = score.as_ref().map_or_else(String::new, |(metric, value)| format!(" {metric}={value}"));
    let said: Vec<&str> = [text, correction].into_iter().flatten().map(String::as_str).collect();
    println!("{number} {}{}:{thumb}{score} {}", feedback.author, if cleared { " (taken back)" } else { "" }, said.join(" | "));
}

fn clear(tracker: &Tracker, number: i64) -> Result<()> {
    let id = serde_json::from_value(json!(number))?;
    Ok(tracker.clear_feedback(id)?)
}

fn enqueue(tracker: &Tracker, queue: &str, run: &str, failures_of: Option<&str>, limit: usize) -> Result<()> {
    let run = locate::run(tracker, run)?.id;
    let samples = tracker.samples(&run, SampleTexts::Lean)?;
    let wanted = |sample: &&Sample| failures_of.is_none_or(|metric| sample.value(metric).is_some_and(|value| value < 1.0));
    let target = |sample: &Sample| FeedbackTarget::Sample { run: run.clone(), item: sample.item.clone(), repeat: sample.repeat };
    let targets: Vec<FeedbackTarget> = samples.iter().filter(wanted).take(limit).map(target).collect();
    println!("{} answers wait in {queue}", tracker.enqueue(queue, &targets)?);
    Ok(())
}

fn progress(cli: &Cli, tracker: &Tracker, queue: &str) -> Result<()> {
    let progress = tracker.queue_progress(queue)?;
    if cli.json {
        println!("{}", json!({"open": progress.open, "claimed": progress.claimed, "done": progress.done, "skipped": progress.skipped}));
    } else {
        println!("{}: {} open, {} looked at, {} done, {} skipped", queue, progress.open, progress.claimed, progress.done, progress.skipped);
    }
    Ok(())
}

fn review(tracker: &Tracker, queue: &str, author: &str) -> Result<()> {
    let mut lines = io::stdin().lock().lines();
    while let Some(item) = tracker.claim(queue, author, LEASE)? {
        print!("\n> {}\n{}\n[+ - = skip quit] ", crate::show::printable(&item.input), crate::show::printable(&item.output));
        io::stdout().flush()?;
        let line = lines.next().transpose()?.unwrap_or_else(|| "quit".to_owned());
        if !judged(tracker, &item, author, line.trim())? {
            break;
        }
    }
    println!();
    let progress = tracker.queue_progress(queue)?;
    println!("{} open, {} done, {} skipped", progress.open, progress.done, progress.skipped);
    Ok(())
}

/// What was typed about an item; whether there is more to look at.
fn judged(tracker: &Tracker, item: &QueueItem, author: &str, line: &str) -> Result<bool> {
    let verdict = match line {
        "+" => Verdict { thumb: Some(true), ..Verdict::default() },
        "-" => Verdict { thumb: Some(false), ..Verdict::default() },
        "skip" => {
            tracker.skip_item(item.id, author)?;
            return Ok(true);
        }
        "quit" => {
            tracker.release_item(item.id, author)?;
            return Ok(false);
        }
        line => match line.strip_prefix('=') {
            Some(text) if !text.trim().is_empty() => {
                Verdict { thumb: Some(false), correction: Some(text.trim().to_owned()), ..Verdict::default() }
            }
            _ => {
                tracker.release_item(item.id, author)?;
                bail!("`{line}` is none of +, -, = TEXT, skip and quit");
            }
        },
    };
    tracker.finish_item(item.id, author, &verdict)?;
    Ok(true)
}
