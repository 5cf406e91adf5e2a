//! Random lives of a scheduler, with a memory in the model's place: every slot knows the text that was written into it, and every step
//! checks that what it would read is there.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use jarre_serving::{
    block_manager::{BlockManager, CacheConfig},
    scheduler::{Policy, ScheduledSequence, Scheduler, SchedulerConfig, SchedulerOutput, StepResult},
    sequence::{NewSequence, SequenceId, SequenceStatus},
};
use proptest::{prelude::*, sample::Index};

#[derive(Clone, Debug)]
enum Op {
    Add {
        prompt: Vec<u32>,
        max_tokens: usize,
        priority: i32,
        width: usize,
        namespace: u8,
        share: bool,
    },
    Cancel(Index),
    Propose(Index, Vec<u32>),
    /// A step; sequences among `cancelled` are cancelled in its midst, and `salt` decides what is chosen.
    Step {
        cancelled: Vec<Index>,
        salt: u64,
        abandoned: bool,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let index = any::<Index>;
    let tokens = |least, most| prop::collection::vec(0_u32..2, least..most);
    let add = (tokens(1, 14), 1_usize..6, -1..2, 1_usize..4, 0_u8..2, prop::bool::weighted(0.9));
    let step = (prop::collection::vec(index(), 0..2), any::<u64>(), prop::bool::weighted(0.1));
    prop::collection::vec(
        prop_oneof![
            4 => add.prop_map(|(prompt, max_tokens, priority, width, namespace, share)| {
                Op::Add { prompt, max_tokens, priority, width, namespace, share }
            }),
            1 => index().prop_map(Op::Cancel),
            3 => (index(), tokens(0, 4)).prop_map(|(which, drafts)| Op::Propose(which, drafts)),
            8 => step.prop_map(|(mut cancelled, salt, abandoned)| {
                cancelled.retain(|_| salt.is_multiple_of(5));
                Op::Step { cancelled, salt, abandoned }
            }),
        ],
        1..100,
    )
}

fn configs() -> impl Strategy<Value = (SchedulerConfig, CacheConfig)> {
    (3_usize..6, 0_usize..10, 0_usize..4, any::<bool>(), 0_usize..4, 5_usize..30, 1_usize..5, any::<bool>()).prop_map(
        |(seqs, more, threshold, priority, bound, blocks, size, caching)| {
            let config = SchedulerConfig::new(40)
                .with_max_num_seqs(seqs)
                .with_max_num_batched_tokens(seqs + more)
                .with_long_prefill_token_threshold(threshold)
                .with_policy(if priority { Policy::Priority } else { Policy::Fcfs })
                .with_starvation_bound(bound);
            (config, CacheConfig::new(blocks, size).with_prefix_caching(caching))
        },
    )
}

/// What stands in a slot: a digest of the whole text up to it and of the namespace.
fn digest(namespace: u8, text: &[u32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (namespace, text).hash(&mut hasher);
    hasher.finish()
}

struct Life {
    scheduler: Scheduler,
    /// What each slot holds; none where nothing was ever written.
    slots: Vec<Option<u64>>,
    namespaces: HashMap<SequenceId, u8>,
    live: Vec<SequenceId>,
    finished: HashMap<SequenceId, (usize, usize)>,
}

impl Life {
    fn new(config: SchedulerConfig, cache: CacheConfig) -> Self {
        let scheduler = Scheduler::with_blocks(config, BlockManager::new(cache).expect("a cache")).expect("a scheduler");
        Self { scheduler, slots: vec![None; cache.slots()], namespaces: HashMap::new(), live: Vec::new(), finished: HashMap::new() }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Add { prompt, max_tokens, priority, width, namespace, share } => {
                let new = NewSequence::new(prompt, max_tokens)
                    .with_priority(priority)
                    .with_width(width)
                    .with_namespace([namespace])
                    .with_share_prefix(share);
                if let Ok(id) = self.scheduler.add(new) {
                    self.namespaces.insert(id, namespace);
                    self.live.push(id);
                }
            }
            Op::Cancel(which) if !self.live.is_empty() => self.cancel(which),
            Op::Propose(which, drafts) if !self.live.is_empty() => self.scheduler.propose(self.live[which.index(self.live.len())], &drafts),
            Op::Step { cancelled, salt, abandoned } => _ = self.step(&cancelled, salt, abandoned),
            _ => {}
        }
    }

    fn cancel(&mut self, which: Index) {
        let id = self.live.swap_remove(which.index(self.live.len()));
        assert!(self.scheduler.cancel(id) && !self.scheduler.cancel(id));
    }

    fn step(&mut self, cancelled: &[Index], salt: u64, abandoned: bool) -> SchedulerOutput {
        let output = self.scheduler.schedule();
        self.check_bounds(&output);
        for copy in &output.copies {
            let size = self.scheduler.blocks().config().block_size;
            let from = copy.from as usize * size;
            self.slots.copy_within(from..from + size, copy.to as usize * size);
        }
        self.compute(&output);
        let (mut forks, mut sampled) = (Vec::new(), Vec::new());
        for scheduled in output.scheduled.iter().filter(|scheduled| scheduled.sampled) {
            let siblings = self.scheduler.fork(scheduled.id);
            for &id in &siblings {
                self.namespaces.insert(id, self.namespaces[&scheduled.id]);
            }
            sampled.push(scheduled.id);
            forks.extend(siblings);
        }
        sampled.extend(&forks);
        self.live.extend(&forks);
        for &which in cancelled {
            if !self.live.is_empty() {
                self.cancel(which);
            }
        }
        if abandoned && !output.scheduled.is_empty() {
            self.scheduler.abandon_step();
            self.live.retain(|id| !forks.contains(id));
            return output;
        }
        let results: Vec<StepResult> = sampled.iter().filter_map(|&id| self.choose(id, salt)).collect();
        self.scheduler.finish_step(&output, &results);
        for result in results.iter().filter(|result| self.live.contains(&result.id)) {
            assert_eq!(self.scheduler.sequence(result.id).is_none(), result.finished);
        }
        self.live.retain(|&id| self.scheduler.sequence(id).is_some());
        self.check_blocks();
        output
    }

    /// Drafts are agreed to by chance, and the answer ends early now and then.
    fn choose(&mut self, id: SequenceId, salt: u64) -> Option<StepResult> {
        let sequence = self.scheduler.sequence(id)?;
        if sequence.status() == SequenceStatus::Cancelled {
            return None;
        }
        let drafts = self.scheduler.drafts(id);
        let mut chance = digest(salt as u8, sequence.tokens()) ^ salt;
        let agreed = chance as usize % (drafts.len() + 1);
        chance /= 7;
        let mut tokens = drafts[..agreed].to_vec();
        tokens.push(chance as u32 % 2);
        let answer = sequence.answer().len() + tokens.len();
        assert!(answer <= sequence.max_tokens(), "drafts left no room for the chosen token");
        let finished = answer == sequence.max_tokens() || chance.is_multiple_of(11);
        if finished {
            self.finished.insert(id, (answer, sequence.max_tokens()));
        }
        Some(StepResult { id, tokens, finished })
    }

    fn check_bounds(&self, output: &SchedulerOutput) {
        let config = self.scheduler.config();
        assert!(output.tokens() <= config.max_num_batched_tokens);
        let mut seen = HashSet::new();
        for scheduled in &output.scheduled {
            assert!(seen.insert(scheduled.id) && scheduled.count > 0 && !output.preempted.contains(&scheduled.id));
            let sequence = self.scheduler.sequence(scheduled.id).expect("what is scheduled is there");
            assert_eq!((sequence.status(), scheduled.start), (SequenceStatus::Running, sequence.computed()));
            assert_eq!(scheduled.sampled, scheduled.start + scheduled.count - scheduled.drafts == sequence.tokens().len());
            assert!(scheduled.sampled || scheduled.drafts == 0);
            assert_eq!(self.scheduler.drafts(scheduled.id).len(), scheduled.drafts);
        }
        let width = |id: &SequenceId| {
            let sequence = self.scheduler.sequence(*id).expect("it lives");
            if sequence.status() == SequenceStatus::Running { sequence.width() } else { 0 }
        };
        assert!(self.live.iter().map(width).sum::<usize>() <= config.max_num_seqs);
        // Somebody gets on wherever there is somebody.
        assert_eq!(output.scheduled.is_empty(), self.live.is_empty());
    }

    /// Reads what is before each chunk, then writes the chunk.
    fn compute(&mut self, output: &SchedulerOutput) {
        let size = self.scheduler.blocks().config().block_size;
        let mut written = HashSet::new();
        for scheduled in &output.scheduled {
            let (text, slots, namespace) = self.text(scheduled);
            for (at, slot) in slots[..scheduled.start].iter().enumerate() {
                assert_eq!(self.slots[*slot], Some(digest(namespace, &text[..=at])), "position {at} of {} is not its own", scheduled.id);
            }
        }
        for scheduled in &output.scheduled {
            let (text, slots, namespace) = self.text(scheduled);
            for at in scheduled.start..text.len() {
                self.slots[slots[at]] = Some(digest(namespace, &text[..=at]));
                assert!(written.insert(slots[at]), "two sequences write one slot");
                assert_eq!(self.scheduler.blocks().references((slots[at] / size) as u32), 1, "a shared block is written");
            }
        }
    }

    /// The text up to the chunk's end, drafts included, and where each token lies.
    fn text(&self, scheduled: &ScheduledSequence) -> (Vec<u32>, Vec<usize>, u8) {
        let size = self.scheduler.blocks().config().block_size;
        let sequence = self.scheduler.sequence(scheduled.id).expect("what is scheduled is there");
        let mut text = sequence.tokens()[..scheduled.start + scheduled.count - scheduled.drafts].to_vec();
        text.extend_from_slice(self.scheduler.drafts(scheduled.id));
        let slots = (0..text.len()).map(|at| sequence.block_table()[at / size] as usize * size + at % size).collect();
        (text, slots, self.namespaces[&scheduled.id])
    }

    /// Blocks are conserved, and reference counts are those of the tables.
    fn check_blocks(&self) {
        let blocks = self.scheduler.blocks();
        let mut references = vec![0; blocks.config().num_blocks];
        for id in &self.live {
            let sequence = self.scheduler.sequence(*id).expect("it lives");
            sequence.block_table().iter().for_each(|&block| references[block as usize] += 1);
            assert!(sequence.computed() < sequence.tokens().len() || sequence.status() != SequenceStatus::Running);
            assert!(sequence.status() == SequenceStatus::Running || sequence.block_table().is_empty());
        }
        for (block, &count) in references.iter().enumerate() {
            assert_eq!(blocks.references(block as u32), count, "block {block}");
        }
        assert_eq!(blocks.free_blocks(), references.iter().filter(|&&count| count == 0).count());
        let stats = self.scheduler.stats();
        assert!(stats.slots_filled <= stats.slots_allocated && stats.blocks_cached <= stats.blocks);
        assert_eq!(stats.running + stats.waiting, self.live.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_life_ends_well((config, cache) in configs(), ops in ops()) {
        let mut life = Life::new(config, cache);
        for op in ops {
            life.apply(op);
        }
        // No sequence is left behind, however short blocks are: each step computes something of somebody.
        let mut steps = 0;
        while !life.scheduler.is_idle() {
            life.step(&[], steps, false);
            steps += 1;
            prop_assert!(steps < 5_000, "a livelock");
        }
        prop_assert!(life.live.is_empty());
        prop_assert_eq!(life.scheduler.stats().blocks_free, cache.num_blocks);
        prop_assert!(life.finished.values().all(|(answer, most)| answer <= most));
    }
}
