use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn scheduler(config: SchedulerConfig, num_blocks: usize) -> Scheduler {
    Scheduler::new(config, CacheConfig::new(num_blocks, 4)).unwrap()
}

fn small(seqs: usize, tokens: usize) -> SchedulerConfig {
    SchedulerConfig::new(1_000).with_max_num_seqs(seqs).with_max_num_batched_tokens(tokens)
}

/// One step in which every sampled sequence gets one token.
fn step(scheduler: &mut Scheduler) -> SchedulerOutput {
    let output = scheduler.schedule();
    let sampled = output.scheduled.iter().filter(|scheduled| scheduled.sampled);
    let results: Vec<StepResult> = sampled.map(|scheduled| StepResult { id: scheduled.id, tokens: vec![0], finished: false }).collect();
    scheduler.finish_step(&output, &results);
    output
}

fn ids(output: &SchedulerOutput) -> Vec<SequenceId> {
    output.scheduled.iter().map(|scheduled| scheduled.id).collect()
}

#[test]
fn what_never_fits_is_refused() {
    let mut scheduler = scheduler(small(2, 8).with_max_waiting(2), 4);
    let refused = scheduler.add(NewSequence::new(vec![0; 10], 7));
    assert!(matches!(refused, Err(Error::TooLong { prompt: 10, answer: 7, limit: 16 })));
    assert!(matches!(scheduler.add(NewSequence::new(vec![0], usize::MAX)), Err(Error::TooLong { .. })));
    for nonsense in [NewSequence::new(vec![], 1), NewSequence::new(vec![0], 0), NewSequence::new(vec![0], 1).with_width(0)] {
        assert!(matches!(scheduler.add(nonsense), Err(Error::Invalid(_))));
    }
    assert!(matches!(scheduler.add(NewSequence::new(vec![0], 1).with_width(3)), Err(Error::Invalid(_))));
    for _ in 0..2 {
        scheduler.add(NewSequence::new(vec![0; 10], 6)).unwrap();
    }
    assert!(matches!(scheduler.add(NewSequence::new(vec![0], 1)), Err(Error::QueueFull { waiting: 2, limit: 2 })));
}

#[test]
fn settings_that_schedule_nothing_are_refused() {
    let new = |config| Scheduler::new(config, CacheConfig::new(4, 4));
    assert!(new(small(0, 8)).is_err() && new(small(8, 7)).is_err() && new(small(1, 1).with_max_waiting(0)).is_err());
    assert!(new(small(8, 8)).is_ok());
}

#[test]
fn a_cache_of_exactly_its_length_is_enough() {
    let mut scheduler = scheduler(small(2, 8), 4);
    let id = scheduler.add(NewSequence::new((0..10).collect(), 6)).unwrap();
    scheduler.add(NewSequence::new((20..30).collect(), 6)).unwrap();
    let steps = (0..100).take_while(|_| !scheduler.is_idle() && !step(&mut scheduler).scheduled.is_empty()).count();
    assert!(scheduler.is_idle() && scheduler.sequence(id).is_none(), "after {steps} steps");
    assert_eq!((scheduler.stats().blocks_free, scheduler.stats().preemptions), (4, 0));
}

#[test]
fn decoding_goes_on_while_prompts_are_read() {
    let mut scheduler = scheduler(small(4, 8), 100);
    let decoding = [(); 3].map(|()| scheduler.add(NewSequence::new(vec![1, 2], 50)).unwrap());
    step(&mut scheduler);
    let long = scheduler.add(NewSequence::new(vec![3; 40], 5)).unwrap();
    for read in 1..=8 {
        let output = step(&mut scheduler);
        assert_eq!(ids(&output), [&decoding[..], &[long]].concat());
        assert_eq!(output.scheduled[3].count, 5);
        assert_eq!(output.scheduled[3].sampled, read == 8);
    }
}

/// An urgent prompt is before those that decode in rank, and leaves each its token all the same.
#[test]
fn an_urgent_prompt_stops_nobody() {
    let mut scheduler = scheduler(small(4, 6).with_policy(Policy::Priority), 100);
    let decoding = [(); 2].map(|()| scheduler.add(NewSequence::new(vec![1, 2], 50)).unwrap());
    step(&mut scheduler);
    let urgent = scheduler.add(NewSequence::new(vec![3; 40], 5).with_priority(-1)).unwrap();
    step(&mut scheduler);
    let output = step(&mut scheduler);
    assert_eq!(ids(&output), [urgent, decoding[0], decoding[1]]);
    assert_eq!(output.scheduled[0].count, 4);
}

/// Nor one whose answer was continued by a grammar, and has several tokens to compute.
#[test]
fn an_urgent_prompt_does_not_hold_up_forced_tokens() {
    let mut scheduler = scheduler(small(4, 6).with_policy(Policy::Priority), 100);
    let forced = scheduler.add(NewSequence::new(vec![1, 2], 50)).unwrap();
    step(&mut scheduler);
    scheduler.add(NewSequence::new(vec![3; 40], 5).with_priority(-1)).unwrap();
    let output = scheduler.schedule();
    scheduler.finish_step(&output, &[StepResult { id: forced, tokens: vec![5, 6, 7], finished: false }]);
    let output = scheduler.schedule();
    let chunks: Vec<_> = output.scheduled.iter().map(|scheduled| (scheduled.count, scheduled.sampled)).collect();
    assert_eq!(chunks, [(5, false), (1, false)]);
}

#[test]
fn a_threshold_lets_prompts_be_read_together() {
    let mut scheduler = scheduler(small(4, 12).with_long_prefill_token_threshold(5), 100);
    let (one, two) = (scheduler.add(NewSequence::new(vec![1; 20], 5)).unwrap(), scheduler.add(NewSequence::new(vec![2; 4], 5)).unwrap());
    let output = step(&mut scheduler);
    assert_eq!(ids(&output), [one, two]);
    assert_eq!((output.scheduled[0].count, output.scheduled[1].count), (5, 4));
}

/// Both first chunks would have blocks; both prompts would not.
#[test]
fn prompts_do_not_take_the_blocks_from_each_other() {
    let mut scheduler = scheduler(small(4, 16).with_long_prefill_token_threshold(8), 8);
    let prompts = [1, 2].map(|first| scheduler.add(NewSequence::new((first * 100..first * 100 + 20).collect(), 1)).unwrap());
    for _ in 0..3 {
        assert_eq!(ids(&step(&mut scheduler)), [prompts[0]]);
    }
    assert_eq!(ids(&step(&mut scheduler)), [prompts[1]]);
}

/// One block in a hundred is left to those that run; whoever is alone may have it.
#[test]
fn running_sequences_have_a_block_to_grow_into() {
    let mut scheduler = scheduler(small(4, 500), 100);
    let [small, large] = [4, 386].map(|length| NewSequence::new(vec![length; length as usize], 4).with_share_prefix(false));
    scheduler.add(small.clone()).unwrap();
    let large = scheduler.add(large).unwrap();
    assert_eq!(step(&mut scheduler).scheduled.len(), 2);
    scheduler.add(small).unwrap();
    assert_eq!((ids(&step(&mut scheduler)).contains(&large), scheduler.waiting(), scheduler.stats().preemptions), (true, 1, 0));
}

#[test]
fn answers_of_one_prompt_have_their_seats_from_admission_on() {
    let mut scheduler = scheduler(small(4, 16), 100);
    let wide = scheduler.add(NewSequence::new(vec![1; 20], 5).with_width(3)).unwrap();
    let (next, last) = (scheduler.add(NewSequence::new(vec![2], 9)).unwrap(), scheduler.add(NewSequence::new(vec![3], 9)).unwrap());
    step(&mut scheduler);
    let output = scheduler.schedule();
    assert_eq!(ids(&output), [wide, next]);
    let siblings = scheduler.fork(wide);
    assert_eq!((siblings.len(), scheduler.fork(wide).len(), scheduler.fork(next).len()), (2, 0, 0));
    let results = [wide, next, siblings[0], siblings[1]].map(|id| StepResult { id, tokens: vec![0], finished: id == siblings[0] });
    scheduler.finish_step(&output, &results);
    assert_eq!(ids(&scheduler.schedule()), [wide, siblings[1], next, last]);
}

#[test]
fn a_preempted_answer_continues() {
    let mut scheduler = scheduler(small(2, 16), 4);
    scheduler.add(NewSequence::new(vec![1; 6], 6)).unwrap();
    let id = scheduler.add(NewSequence::new(vec![2; 7], 4)).unwrap();
    step(&mut scheduler);
    step(&mut scheduler);
    let output = step(&mut scheduler);
    assert_eq!(output.preempted, [id]);
    let sequence = scheduler.sequence(id).unwrap();
    assert_eq!((sequence.status(), sequence.preemptions(), sequence.computed()), (SequenceStatus::Preempted, 1, 0));
    assert_eq!((sequence.answer(), sequence.block_table().len()), (&[0, 0][..], 0));
    assert_eq!((scheduler.running(), scheduler.waiting()), (1, 1));
    while scheduler.sequence(id).unwrap().status() != SequenceStatus::Running {
        step(&mut scheduler);
    }
    assert_eq!(scheduler.sequence(id).unwrap().answer().len(), 3);
    // What it found of itself is no hit of the prefix cache.
    assert_eq!((scheduler.stats().prefix_cache_queries, scheduler.stats().prefix_cache_hits), (13, 0));
}

#[test]
fn blocks_of_a_cancelled_sequence_stay_until_its_step_ends() {
    let mut scheduler = scheduler(small(2, 16), 4);
    let id = scheduler.add(NewSequence::new(vec![1; 6], 6)).unwrap();
    let output = scheduler.schedule();
    assert!(scheduler.cancel(id) && !scheduler.cancel(id));
    assert_eq!((scheduler.stats().blocks_free, scheduler.is_idle()), (2, false));
    assert_eq!(scheduler.sequence(id).map(Sequence::status), Some(SequenceStatus::Cancelled));
    scheduler.finish_step(&output, &[StepResult { id, tokens: vec![0], finished: false }]);
    assert_eq!((scheduler.stats().blocks_free, scheduler.is_idle()), (4, true));
    assert!(scheduler.sequence(id).is_none());
}

#[test]
fn a_step_that_failed_changes_nothing() {
    let mut scheduler = scheduler(small(4, 16), 8);
    let id = scheduler.add(NewSequence::new(vec![1; 6], 6).with_width(3)).unwrap();
    let before = scheduler.schedule();
    assert_eq!(scheduler.fork(id).len(), 2);
    scheduler.abandon_step();
    assert_eq!((scheduler.running(), scheduler.sequence(id).unwrap().width(), scheduler.sequence(id).unwrap().computed()), (1, 3, 0));
    assert_eq!(scheduler.schedule(), before);
    assert_eq!(scheduler.fork(id).len(), 2);
}

#[test]
fn a_sequence_without_a_result_is_dropped() {
    let mut scheduler = scheduler(small(4, 16), 8);
    let id = scheduler.add(NewSequence::new(vec![1; 6], 6)).unwrap();
    let output = scheduler.schedule();
    scheduler.finish_step(&output, &[]);
    assert!(scheduler.sequence(id).is_none() && scheduler.is_idle());
}

#[test]
fn an_answer_ends_at_its_bound_whatever_the_result_says() {
    let mut scheduler = scheduler(small(4, 16), 8);
    let id = scheduler.add(NewSequence::new(vec![1; 6], 2)).unwrap();
    let output = scheduler.schedule();
    scheduler.finish_step(&output, &[StepResult { id, tokens: vec![5; 9], finished: false }]);
    assert!(scheduler.is_idle());
}

/// Tokens that nobody computed, as where a grammar leaves one way to go on, are computed in the next step.
#[test]
fn tokens_beyond_the_drafts_are_computed_later() {
    let mut scheduler = scheduler(small(4, 16), 8);
    let id = scheduler.add(NewSequence::new(vec![1; 6], 9)).unwrap();
    let output = scheduler.schedule();
    scheduler.finish_step(&output, &[StepResult { id, tokens: vec![5, 6, 7], finished: false }]);
    assert_eq!((scheduler.sequence(id).unwrap().computed(), scheduler.sequence(id).unwrap().answer()), (6, &[5, 6, 7][..]));
    let output = scheduler.schedule();
    assert_eq!((output.scheduled[0].start, output.scheduled[0].count, output.scheduled[0].sampled), (6, 3, true));
}

#[test]
fn drafts_give_way_to_budget_and_blocks() {
    let mut scheduler = scheduler(small(2, 4), 3);
    let id = scheduler.add(NewSequence::new(vec![1; 4], 8)).unwrap();
    step(&mut scheduler);
    scheduler.propose(id, &[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(scheduler.drafts(id).len(), 6, "the answer has room for seven, the last of them chosen");
    let output = scheduler.schedule();
    assert_eq!((output.scheduled[0].count, output.scheduled[0].drafts, scheduler.drafts(id)), (4, 3, &[1, 2, 3][..]));
    scheduler.finish_step(&output, &[StepResult { id, tokens: vec![0], finished: false }]);
    // Another takes the third block: drafts go no further than the second.
    scheduler.add(NewSequence::new(vec![9; 2], 2)).unwrap();
    let output = step(&mut scheduler);
    assert_eq!(output.scheduled.len(), 2);
    scheduler.propose(id, &[1, 2, 3]);
    let output = scheduler.schedule();
    assert_eq!((output.preempted.len(), output.scheduled[0].start, output.scheduled[0].drafts), (0, 6, 1));
}

#[test]
fn positions_of_the_prompt_can_be_asked_for() {
    let mut scheduler = scheduler(small(2, 16), 8);
    scheduler.add(NewSequence::new(vec![1; 9], 1)).unwrap();
    step(&mut scheduler);
    let cold = scheduler.add(NewSequence::new(vec![1; 9], 1).with_share_prefix(false)).unwrap();
    assert_eq!(scheduler.schedule().scheduled[0].start, 0);
    assert!(scheduler.cancel(cold));
}

proptest! {
    /// Whatever comes and in whatever order, at most `bound` later arrivals are admitted before a waiting sequence.
    #[test]
    fn nobody_waits_without_end(
        priorities in prop::collection::vec((-3_i32..3, 1_u32..12, 1_usize..6, 0_usize..3), 1..60),
        bound in 0_usize..6,
        seqs in 1_usize..4,
    ) {
        let config = small(seqs, 8).with_policy(Policy::Priority).with_starvation_bound(bound);
        let mut scheduler = scheduler(config, 6);
        let (mut passed, mut waiting, mut next) = (HashMap::<SequenceId, usize>::new(), Vec::<SequenceId>::new(), 0);
        let mut first = true;
        while first || !scheduler.is_idle() || next < priorities.len() {
            first = false;
            while next < priorities.len() {
                let (priority, prompt, answer, steps) = priorities[next];
                let tokens = (0..prompt).map(|at| next as u32 * 100 + at).collect();
                waiting.push(scheduler.add(NewSequence::new(tokens, answer).with_priority(priority)).unwrap());
                next += 1;
                if steps > 0 {
                    break;
                }
            }
            let output = step(&mut scheduler);
            // First admissions of the step: each passes over whoever came earlier and waits still or was admitted after it.
            let admitted: Vec<SequenceId> = ids(&output).into_iter().filter(|id| waiting.contains(id)).collect();
            for id in &admitted {
                waiting.retain(|other| other != id);
                for earlier in waiting.iter().filter(|earlier| *earlier < id) {
                    *passed.entry(*earlier).or_default() += 1;
                }
            }
        }
        prop_assert!(passed.values().all(|&times| times <= bound), "{passed:?}");
    }
}

/// Without the bound the same sequence waits for all of them.
#[test]
fn the_bound_is_what_ends_the_wait() {
    let position = |bound| {
        let mut scheduler = scheduler(small(1, 8).with_policy(Policy::Priority).with_starvation_bound(bound), 8);
        let patient = scheduler.add(NewSequence::new(vec![1], 1).with_priority(1)).unwrap();
        (0..50)
            .position(|_| {
                scheduler.add(NewSequence::new(vec![2], 1)).unwrap();
                ids(&step(&mut scheduler)) == [patient]
            })
            .unwrap_or(usize::MAX)
    };
    assert_eq!((position(0), position(3), position(20), position(usize::MAX)), (0, 3, 20, usize::MAX));
}

/// One step in which only sequences of the model get a token.
fn mixed_step(scheduler: &mut Scheduler) -> SchedulerOutput {
    let output = scheduler.schedule();
    let answered = output.scheduled.iter().filter(|scheduled| scheduled.sampled && !scheduler.sequence(scheduled.id).unwrap().is_pooled());
    let results: Vec<StepResult> = answered.map(|scheduled| StepResult { id: scheduled.id, tokens: vec![0], finished: false }).collect();
    scheduler.finish_step(&output, &results);
    output
}

#[test]
fn pooled_tokens_are_paid_for_and_hold_no_blocks() {
    let mut scheduler = scheduler(small(4, 8), 4);
    let decoding = scheduler.add(NewSequence::new(vec![1, 2], 5)).unwrap();
    step(&mut scheduler);
    let pooled = scheduler.add(NewSequence::pooled(20)).unwrap();
    let prompt = scheduler.add(NewSequence::new(vec![3; 5], 1)).unwrap();
    let held = scheduler.stats().slots_allocated;
    let counts = [(); 3].map(|()| {
        let output = mixed_step(&mut scheduler);
        output.scheduled.iter().map(|scheduled| (scheduled.id, scheduled.count, scheduled.sampled)).collect::<Vec<_>>()
    });
    assert_eq!(counts[0], [(decoding, 1, true), (pooled, 7, false)], "a prompt behind waits for it as for another prompt");
    assert_eq!(counts[1], [(decoding, 1, true), (pooled, 7, false)]);
    assert_eq!(counts[2], [(decoding, 1, true), (pooled, 6, true), (prompt, 1, false)]);
    assert!(scheduler.sequence(pooled).is_none(), "it is gone with the step that samples it");
    assert!(scheduler.stats().slots_allocated <= held + 8, "only the two others hold blocks");
    assert!(scheduler.add(NewSequence::pooled(1_000_000)).is_ok(), "it may be longer than a sequence");
}

proptest! {
    /// Beside answers that are short of blocks: no step costs more than its budget, whoever decodes gets a token or loses blocks, every pooled
    /// sequence is paid for exactly once, and all come to their end.
    #[test]
    fn pooled_sequences_share_the_budget(
        arrivals in prop::collection::vec((any::<bool>(), 1_usize..30, 1_usize..8, 0_usize..3, -1..2), 1..25),
        (budget, blocks, priority) in (4_usize..20, 10_usize..20, any::<bool>()),
    ) {
        let policy = if priority { Policy::Priority } else { Policy::Fcfs };
        let mut scheduler = scheduler(small(4, budget).with_policy(policy).with_starvation_bound(3), blocks);
        let mut owed: HashMap<SequenceId, usize> = HashMap::new();
        let mut arrivals = arrivals.into_iter();
        for turn in 0..3_000 {
            if let Some((pooled, tokens, answer, pause, priority)) = arrivals.next() {
                let new = if pooled { NewSequence::pooled(tokens) } else { NewSequence::new(vec![turn; tokens], answer) };
                let id = scheduler.add(new.with_priority(priority)).unwrap();
                if pooled {
                    owed.insert(id, tokens);
                }
                if pause == 0 {
                    continue;
                }
            } else if scheduler.is_idle() {
                break;
            }
            let decoding: Vec<SequenceId> = scheduler.running.iter().copied().filter(|id| !scheduler.sequences[id].answer().is_empty()).collect();
            let output = mixed_step(&mut scheduler);
            prop_assert!(output.tokens() <= budget);
            prop_assert!(decoding.iter().all(|id| ids(&output).contains(id) || output.preempted.contains(id)));
            prop_assert!(output.preempted.iter().all(|id| !owed.contains_key(id)), "there is nothing to gain from them");
            for scheduled in &output.scheduled {
                let Some(left) = owed.get_mut(&scheduled.id) else { continue };
                *left -= scheduled.count;
                prop_assert_eq!(scheduled.sampled, *left == 0);
            }
        }
        prop_assert!(scheduler.is_idle() && owed.values().all(|left| *left == 0));
        prop_assert_eq!(scheduler.stats().blocks_free, blocks);
    }
}
