use super::paint::{self, BOLD, CYAN, DIM, GREEN, PLAIN, RED, YELLOW};
use super::wrap::{Writer, fitted};
use crate::Purpose;
use crate::view::words::{self, grouped, lasting};
use crate::view::{Call, Lesson, Step, Story};

/// What is known of the run as a whole.
pub(super) fn head(story: &Story, writer: &mut Writer) {
    let (state, look) = words::state(story);
    writer.painted(0, BOLD, &fitted(&story.task.name, 200));
    writer.painted(0, paint::of(look), &format!("{}: {state}", fitted(&story.run, 200)));
    let usage = story.usage;
    let figures = format!(
        "{} with {}: {} steps, {} tokens read, {} written, {}, {}",
        words::date(story.started),
        fitted(&story.model, 100),
        grouped(story.steps.len() as u64),
        grouped(usage.prompt_tokens),
        grouped(usage.completion_tokens),
        story.cost,
        lasting(story.updated.since(story.started)),
    );
    writer.painted(0, DIM, &figures);
}

/// A step with its calls.
pub(super) fn step(story: &Story, place: usize, step: &Step, writer: &mut Writer) {
    writer.blank();
    let waited = step.waited().map_or_else(|| "waiting for the model".to_owned(), lasting);
    let usage = step.usage;
    let when = lasting(step.started.since(story.started));
    let meter =
        format!("+{when}  {} read, {} written, {}, {waited}", grouped(usage.prompt_tokens), grouped(usage.completion_tokens), step.cost);
    let look = if step.purpose == Purpose::Reflect { YELLOW } else { CYAN };
    writer.painted(0, look, &format!("{} {}  {meter}", place + 1, words::purpose(step.purpose)));
    if let Some((kind, message)) = &step.failure {
        writer.painted(3, RED, &format!("{kind:?}: {message}"));
    }
    match (step.purpose, Lesson::read(&step.text)) {
        (Purpose::Reflect, Lesson::Parts { what, why, instead }) => {
            for (name, text) in [("what failed", what), ("why", why), ("otherwise", instead)] {
                writer.line(3, &format!("{name}: {text}"));
            }
        }
        _ => writer.text(3, step.text.trim()),
    }
    for call in &step.calls {
        self::call(call, writer);
    }
}

fn call(call: &Call, writer: &mut Writer) {
    let (state, look) = words::call_state(call);
    let took = call.took.map(|took| format!(", {}", lasting(took))).unwrap_or_default();
    let gist = fitted(&words::gist(&call.call.arguments), 100);
    writer.painted(3, paint::of(look), &format!("{} {gist}  [{state}{took}]", fitted(&call.call.name, 64)));
    if let Some(approval) = &call.approval {
        writer.painted(6, DIM, &format!("asked: {}", approval.why));
        if let Some((decision, by, _)) = &approval.answer {
            let (said, words) = words::decided(decision);
            writer.painted(6, DIM, &format!("{by} {said} {words}"));
        } else {
            writer.painted(6, YELLOW, &format!("answer with the token {}", approval.token.as_str()));
        }
    }
    match (&call.diff, &call.tests, &call.output) {
        (Some(diff), _, _) => writer.colored(6, diff, of_line),
        (None, Some(tests), _) if !tests.failures.is_empty() => {
            for failure in &tests.failures {
                let at = failure.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
                writer.painted(6, RED, &format!("{}{at}", failure.name));
                writer.text(8, &failure.message);
            }
        }
        (None, _, Some(output)) => writer.text(6, &output.text),
        (None, _, None) => {}
    }
}

fn of_line(line: &str) -> &'static str {
    match line.as_bytes().first() {
        Some(b'+') => GREEN,
        Some(b'-') => RED,
        Some(b'@') => CYAN,
        _ => PLAIN,
    }
}

/// How it ended.
pub(super) fn end(story: &Story, writer: &mut Writer) {
    writer.blank();
    match &story.outcome {
        Some(outcome) => {
            let (told, words) = words::ending(outcome);
            writer.painted(0, paint::of(words::state(story).1), &told);
            writer.text(0, words);
        }
        None => writer.painted(0, DIM, &format!("not over: {}", words::state(story).0)),
    }
}
