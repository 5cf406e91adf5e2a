use jarre_core::{Message, Part, Role};

use super::shorten::head_and_tail;

/// Steps at the end that are kept as they are.
const KEPT: usize = 4;
/// Bytes that a token has at the least, in the mean: text of source code has more, so that what is reckoned is no less than what is used.
const BYTES_A_TOKEN: usize = 3;
/// What a message costs beside its text.
const MESSAGE_BYTES: usize = 16;

/// What the model is told after the instructions, oldest first.
///
/// It only grows at its end, so that a provider's cache of prompts serves, until it no longer fits: then older steps are shortened, and where
/// that is not enough, summed up. A step is kept or left out as a whole: a call never stands without its result.
#[derive(Clone, Debug, Default)]
pub(super) struct Conversation(Vec<Entry>);

#[derive(Clone, Debug)]
enum Entry {
    /// The loop says something.
    Asked(String),
    /// The model said something that is no step.
    Said(String),
    /// A step, whole and in short.
    Step { whole: Vec<Message>, short: Vec<Message> },
}

impl Conversation {
    pub(super) fn ask(&mut self, text: impl Into<String>) {
        self.0.push(Entry::Asked(text.into()));
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.0.push(Entry::Said(text.into()));
    }

    pub(super) fn step(&mut self, whole: Vec<Message>, short: Vec<Message>) {
        self.0.push(Entry::Step { whole, short });
    }

    /// The messages, shortened as far as it takes to stay within `window` tokens together with `beside` bytes of other text.
    pub(super) fn messages(&self, window: usize, beside: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        let shortened = self.shortened(window, beside);
        for (at, entry) in self.0.iter().enumerate() {
            entry.write(at < shortened, &mut messages);
        }
        messages
    }

    /// How many entries of the start are given in short.
    fn shortened(&self, window: usize, beside: usize) -> usize {
        let fits = |shortened| self.bytes(shortened) + beside <= window.saturating_mul(BYTES_A_TOKEN);
        [0, self.tail()].into_iter().find(|&shortened| fits(shortened)).unwrap_or(self.0.len())
    }

    fn bytes(&self, shortened: usize) -> usize {
        self.0.iter().enumerate().map(|(at, entry)| entry.bytes(at < shortened)).sum()
    }

    /// Where the steps begin that are kept as they are.
    fn tail(&self) -> usize {
        let steps = self.0.iter().enumerate().rev().filter(|(_, entry)| matches!(entry, Entry::Step { .. }));
        steps.map(|(at, _)| at).take(KEPT).last().unwrap_or(self.0.len())
    }

    /// Whether it does not fit though it is shortened, and there are older steps to sum up.
    pub(super) fn is_full(&self, window: usize, beside: usize) -> bool {
        let tail = self.tail();
        let steps = self.0[..tail].iter().filter(|entry| matches!(entry, Entry::Step { .. })).count();
        steps >= 2 && self.bytes(tail) + beside > window.saturating_mul(BYTES_A_TOKEN)
    }

    /// What is to be summed up, as text of at most half of `window`.
    pub(super) fn transcript(&self, window: usize) -> String {
        let mut messages = Vec::new();
        for entry in self.0[..self.tail()].iter().skip(1) {
            entry.write(true, &mut messages);
        }
        let lines: Vec<String> = messages.iter().map(line).collect();
        head_and_tail(&lines.join("\n"), window.saturating_mul(BYTES_A_TOKEN) / 2)
    }

    /// Puts `text` in the place of everything between the task and the steps that are kept.
    pub(super) fn sum_up(&mut self, text: String) {
        let tail = self.tail();
        if tail > 1 {
            self.0.splice(1..tail, [Entry::Asked(text)]);
        }
    }

    /// About how many tokens it takes as it is sent.
    pub(super) fn tokens(&self, window: usize, beside: usize) -> usize {
        (self.bytes(self.shortened(window, beside)) + beside) / BYTES_A_TOKEN
    }
}

impl Entry {
    fn write(&self, in_short: bool, messages: &mut Vec<Message>) {
        match self {
            Self::Asked(text) => push_user(messages, text),
            Self::Said(text) => messages.push(Message::assistant(text)),
            Self::Step { whole, short } => {
                for message in if in_short { short } else { whole } {
                    if message.role == Role::User { push_user(messages, &message.text()) } else { messages.push(message.clone()) }
                }
            }
        }
    }

    fn bytes(&self, in_short: bool) -> usize {
        match self {
            Self::Asked(text) | Self::Said(text) => text.len() + MESSAGE_BYTES,
            Self::Step { whole, short } => if in_short { short } else { whole }.iter().map(bytes).sum(),
        }
    }
}

/// Turns of a person that follow each other are one: not every model takes two.
pub(super) fn push_user(messages: &mut Vec<Message>, text: &str) {
    match messages.last_mut() {
        Some(last) if last.role == Role::User => last.parts.push(Part::text(format!("\n\n{text}"))),
        _ => messages.push(Message::user(text)),
    }
}

fn bytes(message: &Message) -> usize {
    message.parts.iter().map(part_text).map(|(name, text)| name.len() + text.len() + MESSAGE_BYTES).sum()
}

fn part_text(part: &Part) -> (&str, &str) {
    match part {
        Part::Text { text } => ("", text),
        Part::ToolCall(call) => (&call.name, &call.arguments),
        Part::ToolResult(result) => (&result.name, &result.text),
        _ => ("", ""),
    }
}

/// A message as a line of a transcript.
fn line(message: &Message) -> String {
    let parts: Vec<String> = message
        .parts
        .iter()
        .map(part_text)
        .map(|(name, text)| if name.is_empty() { text.to_owned() } else { format!("{name} {text}") })
        .collect();
    let role = match message.role {
        Role::System => "system",
        Role::User => "told",
        Role::Assistant => "agent",
        Role::Tool => "result",
    };
    format!("{role}: {}", parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(steps: usize) -> Conversation {
        let mut conversation = Conversation::default();
        conversation.ask("task");
        conversation.say("plan");
        conversation.ask("go on");
        for at in 0..steps {
            let messages = |bytes: usize| vec![Message::assistant(format!("{at}")), Message::user("o".repeat(bytes))];
            conversation.step(messages(3_000), messages(300));
        }
        conversation
    }

    #[test]
    fn everything_is_sent_as_long_as_it_fits() {
        let messages = conversation(6).messages(100_000, 0);
        assert_eq!(messages.len(), 3 + 2 * 6);
        assert!(!conversation(6).is_full(100_000, 0));
        assert!(messages.iter().skip(4).step_by(2).all(|message| message.text().len() == 3_000));
    }

    #[test]
    fn older_steps_are_shortened_then_summed_up_and_the_last_are_kept() {
        let lengths = |conversation: &Conversation, window| -> Vec<usize> {
            let messages = conversation.messages(window, 0);
            messages.iter().filter(|message| message.role == Role::User).skip(2).map(|message| message.text().len()).collect()
        };
        assert_eq!(lengths(&conversation(6), 5_000), [300, 300, 3_000, 3_000, 3_000, 3_000]);
        assert!(!conversation(6).is_full(5_000, 0));

        let mut full = conversation(40);
        assert!(full.is_full(5_000, 0));
        assert!(full.transcript(5_000).contains("agent: plan"));
        full.sum_up("summed".into());
        assert!(!full.is_full(5_000, 0));
        let messages = full.messages(5_000, 0);
        assert_eq!(messages[0].text(), "task\n\nsummed");
        assert_eq!(messages.len(), 1 + 2 * KEPT);
    }

    #[test]
    fn where_even_the_last_do_not_fit_they_are_shortened_too() {
        let few = conversation(3);
        assert!(!few.is_full(500, 0), "there is nothing older to sum up");
        assert!(few.messages(500, 0).iter().all(|message| message.text().len() <= 300));
    }
}
