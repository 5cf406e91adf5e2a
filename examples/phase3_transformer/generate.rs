//! `generate`: the model goes on with a text.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::Result;
use jarre_core::FinishReason;
use jarre_transformer::generate::{SamplingParams, StopCriteria, StopStrings, TextStream, generate};
use serde::Serialize;

use crate::args::GenerateArgs;
use crate::model::Opened;

#[derive(Serialize)]
struct Answer {
    text: String,
    ids: Vec<u32>,
    finish_reason: FinishReason,
    prompt_tokens: usize,
    time_to_first_token_ms: f64,
    tokens_per_second: f64,
}

pub(crate) fn run(args: &GenerateArgs) -> Result<()> {
    let opened = Opened::open(&args.model)?;
    let tokenizer = opened.tokenizer()?;
    let prompt = opened.prompt(&args.prompt)?;
    let criteria = StopCriteria::new(args.max_tokens).with_eos_token_ids(opened.model.eos().iter().copied());
    let mut stream = TextStream::new(|ids: &[u32]| tokenizer.decode(ids));
    let mut stops = StopStrings::new(&args.stop)?;
    let (mut text, mut failed) = (String::new(), None);
    let (started, mut first) = (Instant::now(), None);
    let generation = generate(&opened.model, &prompt, &sampling(args), &criteria, &mut |sampled| {
        first.get_or_insert_with(|| started.elapsed());
        match stream.push(sampled.id) {
            Ok(new) => {
                let step = stops.push(&new);
                show(args, &step.emit);
                text.push_str(&step.emit);
                if step.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let last = stops.push(&stream.finish()?);
    let rest = if last.stopped { last.emit } else { last.emit + &stops.finish() };
    show(args, &rest);
    text.push_str(&rest);
    let seconds = started.elapsed().as_secs_f64().max(f64::EPSILON);
    let answer = Answer {
        text,
        finish_reason: generation.finish_reason,
        prompt_tokens: prompt.len(),
        time_to_first_token_ms: first.unwrap_or_default().as_secs_f64() * 1e3,
        tokens_per_second: generation.tokens.len() as f64 / seconds,
        ids: generation.tokens,
    };
    if args.json {
        println!("{}", serde_json::to_string(&answer)?);
    } else {
        println!();
        eprintln!("{} tokens, {:.0} a second", answer.ids.len(), answer.tokens_per_second);
    }
    Ok(())
}

fn sampling(args: &GenerateArgs) -> SamplingParams {
    if args.greedy {
        return SamplingParams::greedy();
    }
    let mut params = SamplingParams::default().with_temperature(args.temperature).with_seed(args.seed);
    if let Some(top_p) = args.top_p {
        params = params.with_top_p(top_p);
    }
    if let Some(top_k) = args.top_k {
        params = params.with_top_k(top_k);
    }
    if let Some(min_p) = args.min_p {
        params = params.with_min_p(min_p);
    }
    params
}

/// Text as it comes, where a person reads it.
fn show(args: &GenerateArgs, text: &str) {
    if !args.json {
        print!("{text}");
        // A closed pipe is not worth an error: the text is not wanted any more.
        let _ = std::io::stdout().flush();
    }
}
