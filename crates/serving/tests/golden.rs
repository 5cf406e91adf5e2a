//! Short stories of a scheduler, told step by step. Each line is a step: what was preempted, what is copied, which positions of which
//! sequence are computed in which blocks, `?` where one is a draft, `!` where a token is chosen behind it.

use std::fmt::Write;

use jarre_serving::{
    block_manager::CacheConfig,
    scheduler::{Policy, ScheduledSequence, Scheduler, SchedulerConfig, SchedulerOutput, StepResult},
    sequence::{NewSequence, SequenceId},
};

struct Story {
    scheduler: Scheduler,
    names: Vec<(SequenceId, String)>,
    told: String,
}

impl Story {
    fn new(config: SchedulerConfig, num_blocks: usize) -> Self {
        let scheduler = Scheduler::new(config, CacheConfig::new(num_blocks, 4)).expect("a scheduler");
        Self { scheduler, names: Vec::new(), told: "\n".into() }
    }

    fn add(&mut self, name: &str, sequence: NewSequence) -> SequenceId {
        let id = self.scheduler.add(sequence).expect("it fits");
        self.names.push((id, name.into()));
        id
    }

    /// Chooses token 1, after as many drafts as `agreed`.
    fn step(&mut self, agreed: usize) {
        let output = self.scheduler.schedule();
        self.tell(&output);
        let mut results = Vec::new();
        for scheduled in output.scheduled.iter().filter(|scheduled| scheduled.sampled) {
            let name = self.name(scheduled.id).to_owned();
            let siblings = self.scheduler.fork(scheduled.id);
            self.names.extend(siblings.iter().zip(2..).map(|(&id, nth)| (id, format!("{name}{nth}"))));
            for id in siblings.into_iter().chain([scheduled.id]) {
                let drafts = self.scheduler.drafts(id);
                let tokens = drafts[..agreed.min(drafts.len())].iter().copied().chain([1]).collect();
                results.push(StepResult { id, tokens, finished: false });
            }
        }
        self.scheduler.finish_step(&output, &results);
    }

    fn run(mut self) -> String {
        while !self.scheduler.is_idle() {
            self.step(0);
        }
        self.told
    }

    fn tell(&mut self, output: &SchedulerOutput) {
        let preempted = output.preempted.iter().map(|&id| format!("{} gives way", self.name(id)));
        let copies = output.copies.iter().map(|copy| format!("block {} to {}", copy.from, copy.to));
        let scheduled = output.scheduled.iter().map(|scheduled| self.chunk(scheduled));
        let line: Vec<String> = preempted.chain(copies).chain(scheduled).collect();
        writeln!(self.told, "{}", line.join(", ")).expect("a string takes everything");
    }

    fn chunk(&self, scheduled: &ScheduledSequence) -> String {
        let ScheduledSequence { id, start, count, drafts, sampled } = *scheduled;
        let positions: Vec<String> = match count {
            1 => vec![start.to_string()],
            _ => vec![format!("{start}-{}", start + count - 1)],
        };
        let marks = "?".repeat(drafts) + if sampled { "!" } else { "" };
        format!("{} {}{marks} in {:?}", self.name(id), positions.concat(), self.scheduler.sequence(id).expect("it runs").block_table())
    }

    fn name(&self, id: SequenceId) -> &str {
        &self.names.iter().find(|(other, _)| *other == id).expect("it was named").1
    }
}

fn config(seqs: usize, tokens: usize) -> SchedulerConfig {
    SchedulerConfig::new(100).with_max_num_seqs(seqs).with_max_num_batched_tokens(tokens)
}

/// `length` tokens that no other prompt of another `first` has.
fn prompt(first: u32, length: u32) -> Vec<u32> {
    (0..length).map(|at| first * 100 + at).collect()
}

#[test]
fn a_long_prompt_is_read_beside_an_answer() {
    let mut story = Story::new(config(4, 6), 8);
    story.add("a", NewSequence::new(prompt(1, 3), 4));
    story.step(0);
    story.add("b", NewSequence::new(prompt(2, 12), 2));
    assert_eq!(
        story.run(),
        "
a 0-2! in [0]
a 3! in [0], b 0-4 in [1, 2]
a 4! in [0, 3], b 5-9 in [1, 2, 4]
a 5! in [0, 3], b 10-11! in [1, 2, 4]
b 12! in [1, 2, 4, 3]
"
    );
}

#[test]
fn a_prefix_is_computed_once() {
    let mut story = Story::new(config(4, 32), 8);
    story.add("a", NewSequence::new(prompt(1, 10), 1));
    story.step(0);
    // Its first eight tokens are those of a; another tenant's are computed again.
    story.add("b", NewSequence::new([prompt(1, 8), prompt(2, 2)].concat(), 1));
    story.add("c", NewSequence::new(prompt(1, 10), 1).with_namespace(*b"other"));
    assert_eq!(
        story.run(),
        "
a 0-9! in [0, 1, 2]
b 8-9! in [0, 1, 2], c 0-9! in [3, 4, 5]
"
    );
}

#[test]
fn the_later_one_gives_way_and_comes_back() {
    let mut story = Story::new(config(2, 16), 4);
    story.add("a", NewSequence::new(prompt(1, 6), 6));
    story.add("b", NewSequence::new(prompt(2, 7), 4));
    assert_eq!(
        story.run(),
        "
a 0-5! in [0, 1], b 0-6! in [2, 3]
a 6! in [0, 1], b 7! in [2, 3]
b gives way, a 7! in [0, 1]
a 8! in [0, 1, 3]
a 9! in [0, 1, 3]
a 10! in [0, 1, 3]
b 4-8! in [2, 3, 1]
b 9! in [2, 3, 1]
"
    );
}

#[test]
fn the_less_urgent_one_gives_way() {
    let mut story = Story::new(config(2, 16).with_policy(Policy::Priority), 4);
    story.add("a", NewSequence::new(prompt(1, 6), 4).with_priority(1));
    story.add("b", NewSequence::new(prompt(2, 7), 4));
    assert_eq!(
        story.run(),
        "
b 0-6! in [0, 1], a 0-5! in [2, 3]
b 7! in [0, 1], a 6! in [2, 3]
a gives way, b 8! in [0, 1, 3]
b 9! in [0, 1, 3]
a 4-7! in [2, 3]
a 8! in [2, 3, 1]
"
    );
}

#[test]
fn three_answers_share_a_prompt() {
    let mut story = Story::new(config(4, 16), 8);
    story.add("a", NewSequence::new(prompt(1, 6), 3).with_width(3));
    assert_eq!(
        story.run(),
        "
a 0-5! in [0, 1]
block 1 to 2, block 1 to 3, a 6! in [0, 2], a2 6! in [0, 3], a3 6! in [0, 1]
a 7! in [0, 2], a2 7! in [0, 3], a3 7! in [0, 1]
"
    );
}

#[test]
fn drafts_are_agreed_to_or_overwritten() {
    let mut story = Story::new(config(2, 8), 8);
    let a = story.add("a", NewSequence::new(prompt(1, 3), 8));
    story.step(0);
    story.scheduler.propose(a, &[7, 8, 9]);
    // Two of three are agreed to: three tokens, and position 6 is computed again.
    story.step(2);
    story.scheduler.propose(a, &[7, 8, 9, 10, 11]);
    story.step(0);
    assert_eq!(
        story.run(),
        "
a 0-2! in [0]
a 3-6???! in [0, 1]
a 6-9???! in [0, 1, 2]
a 7! in [0, 1, 2]
a 8! in [0, 1, 2]
a 9! in [0, 1, 2]
"
    );
}
