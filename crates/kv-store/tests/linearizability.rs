//! The checker on histories whose verdict is known: by hand, by construction, and by trying all orders.
#![cfg(feature = "testing")]

use std::fmt::Debug;

use jarre_kv_store::testing::linearizability::{
    Bank, BankInput, BankOutput, History, ListAppend, ListInput, ListOutput, Model, Operation, Outcome, PerKey, Register, RegisterInput,
    RegisterOutput, Set, SetInput, SetOutput, UniqueRegister, Verdict, check,
};
use proptest::prelude::*;

const ENOUGH: u64 = 1_000_000;

fn operation<I, O>(input: I, call: u64, at: u64, output: O) -> Operation<I, O> {
    Operation { process: call, call, input, outcome: Outcome::Returned { at, output } }
}

fn pending<I, O>(input: I, call: u64, outcome: Outcome<O>) -> Operation<I, O> {
    Operation { process: call, call, input, outcome }
}

fn read(value: Option<u64>, call: u64, at: u64) -> Operation<RegisterInput, RegisterOutput> {
    operation(RegisterInput::Read, call, at, RegisterOutput::Value(value))
}

fn write(value: u64, call: u64, at: u64) -> Operation<RegisterInput, RegisterOutput> {
    operation(RegisterInput::Write(value), call, at, RegisterOutput::Written)
}

fn cas(expected: u64, new: u64, done: bool, call: u64, at: u64) -> Operation<RegisterInput, RegisterOutput> {
    operation(RegisterInput::Cas { expected: Some(expected), new }, call, at, RegisterOutput::Exchanged(done))
}

fn is_ok<M: Model>(model: &M, history: &[Operation<M::Input, M::Output>]) -> bool {
    match check(model, history, ENOUGH) {
        Verdict::Ok => true,
        Verdict::Illegal(_) => false,
        Verdict::Unknown => panic!("the budget was enough"),
    }
}

#[test]
fn concurrent_calls_may_take_effect_in_any_order_and_others_may_not() {
    assert!(is_ok(&Register, &[]));
    assert!(is_ok(&Register, &[write(1, 0, 10), read(None, 1, 3), read(Some(1), 4, 6)]));
    assert!(!is_ok(&Register, &[write(1, 0, 10), read(Some(1), 1, 3), read(None, 4, 6)]), "a value was unseen");
    assert!(is_ok(&Register, &[write(1, 0, 10), read(Some(1), 1, 4), read(None, 4, 6)]), "reads that touch are concurrent");
    assert!(!is_ok(&Register, &[write(1, 0, 1), write(2, 2, 3), read(Some(1), 4, 5)]), "a stale read");
    assert!(is_ok(&Register, &[write(1, 0, 3), write(2, 2, 3), read(Some(1), 4, 5)]));
    assert!(!is_ok(&Register, &[write(1, 0, 1), cas(1, 2, true, 2, 9), cas(1, 3, true, 3, 8)]), "both exchanged the same value");
    assert!(is_ok(&Register, &[write(1, 0, 1), cas(1, 2, true, 2, 9), cas(1, 3, false, 3, 8)]));
}

#[test]
fn an_unknown_outcome_may_come_true_late_or_never_and_a_failed_one_never() {
    let unknown = || pending(RegisterInput::Write(7), 0, Outcome::Unknown);
    assert!(is_ok(&Register, &[unknown(), read(None, 5, 6)]));
    assert!(is_ok(&Register, &[unknown(), read(None, 5, 6), read(Some(7), 7, 8)]));
    assert!(!is_ok(&Register, &[unknown(), read(Some(7), 5, 6), read(None, 7, 8)]), "it came true once only");
    assert!(!is_ok(&Register, &[pending(RegisterInput::Write(7), 9, Outcome::Unknown), read(Some(7), 5, 6)]), "before it was asked for");
    assert!(!is_ok(&Register, &[pending(RegisterInput::Write(7), 0, Outcome::Failed), read(Some(7), 5, 6)]));
    assert!(is_ok(&Register, &[pending(RegisterInput::Read, 0, Outcome::Unknown), pending(RegisterInput::Read, 0, Outcome::Failed)]));
    let maybe = pending(RegisterInput::Cas { expected: Some(1), new: 2 }, 2, Outcome::Unknown);
    assert!(is_ok(&Register, &[write(1, 0, 1), maybe.clone(), read(Some(2), 5, 6)]));
    assert!(!is_ok(&Register, &[write(3, 0, 1), maybe, read(Some(2), 5, 6)]), "the exchange had no chance");
}

#[test]
fn keys_are_checked_apart_and_the_guilty_one_is_named() {
    let at = |key: &'static str, operation: Operation<RegisterInput, RegisterOutput>| Operation {
        process: operation.process,
        call: operation.call,
        input: (key, operation.input),
        outcome: operation.outcome,
    };
    let model = PerKey::new(Register);
    let good = [at("a", write(1, 0, 1)), at("b", read(None, 2, 3)), at("b", write(2, 4, 5)), at("a", read(Some(1), 6, 7))];
    assert_eq!(check(&model, &good, ENOUGH), Verdict::Ok);
    let bad = [good.as_slice(), &[at("b", read(Some(1), 8, 9))]].concat();
    let Verdict::Illegal(found) = check(&model, &bad, ENOUGH) else { panic!("b never held 1") };
    assert_eq!((found.key.0, found.culprit, found.window, found.order, found.state), ("b", 4, vec![4], vec![1, 2], Some(2)));
}

#[test]
fn the_first_return_that_nothing_explains_is_named_with_what_was_under_way() {
    let mut history: Vec<_> = (0..50).map(|nth| write(nth, nth * 10, nth * 10 + 5)).collect();
    history.extend([write(100, 600, 640), read(Some(100), 610, 620), read(Some(49), 630, 650)]);
    history.extend((0..50).map(|nth| read(Some(77), 1000 + nth * 10, 1000 + nth * 10 + 5)));
    let Verdict::Illegal(found) = check(&Register, &history, ENOUGH) else { panic!("49 was gone") };
    assert_eq!(found.culprit, 52);
    assert_eq!(found.window, [50, 51, 52]);
    assert_eq!((found.order.len(), found.state), (52, Some(100)));
}

#[test]
fn a_budget_that_is_used_up_decides_nothing() {
    // Writes that nobody sees, all at once: nearly every order must be tried before the last read is refused.
    let mut history: Vec<_> = (0..30).map(|nth| write(nth, 0, 100)).collect();
    history.push(read(Some(1), 101, 102));
    history.push(read(Some(2), 103, 104));
    assert_eq!(check(&Register, &history, 10), Verdict::Unknown);
    let few = &history[20..];
    assert!(matches!(check(&Register, few, ENOUGH), Verdict::Illegal(_)));
}

#[test]
fn sixty_keys_of_ten_thousand_calls_take_as_many_steps_as_there_are_calls_at_best() {
    let model = PerKey::new(Register);
    let history: Vec<_> = (0..10_000_u64)
        .map(|nth| operation((nth % 60, RegisterInput::Write(nth)), nth * 3, nth * 3 + 100, RegisterOutput::Written))
        .collect();
    assert_eq!(check(&model, &history, 10_000), Verdict::Ok);
    assert_eq!(check(&model, &history, 9_999), Verdict::Unknown);
}

#[test]
fn a_bank_keeps_its_sum_and_a_set_its_elements() {
    let bank = Bank { accounts: vec![10, 0, 5] };
    let transfer =
        |from, to, amount, moved, call, at| operation(BankInput::Transfer { from, to, amount }, call, at, BankOutput::Moved(moved));
    let accounts = |held: [u64; 3], call, at| operation(BankInput::Read, call, at, BankOutput::Accounts(held.to_vec()));
    assert!(is_ok(&bank, &[transfer(0, 1, 7, true, 0, 1), transfer(0, 2, 7, false, 2, 3), accounts([3, 7, 5], 4, 5)]));
    assert!(!is_ok(&bank, &[transfer(0, 1, 7, true, 0, 5), accounts([3, 0, 5], 1, 4)]), "half a transfer");
    assert!(!is_ok(&bank, &[transfer(0, 1, 7, true, 0, 1), transfer(0, 2, 7, true, 2, 3)]), "more than there was");
    assert!(is_ok(&bank, &[transfer(0, 9, 1, false, 0, 1), transfer(0, 0, 4, true, 2, 3), accounts([10, 0, 5], 4, 5)]));
    let add = |element, fresh, call, at| operation(SetInput::Add(element), call, at, SetOutput::Changed(fresh));
    let elements =
        |elements: &[u64], call, at| operation(SetInput::Read, call, at, SetOutput::Elements(elements.iter().copied().collect()));
    assert!(is_ok(&Set, &[add(1, true, 0, 1), add(2, true, 2, 9), elements(&[1], 3, 4), add(1, false, 5, 6), elements(&[1, 2], 10, 11)]));
    assert!(!is_ok(&Set, &[add(1, true, 0, 1), add(2, true, 2, 3), elements(&[2], 4, 5)]), "an acknowledged element was lost");
    assert!(!is_ok(&Set, &[add(1, true, 0, 9), add(1, true, 1, 8)]), "both were first");
    let list = |list: &[u64], call, at| operation(ListInput::Read, call, at, ListOutput::List(list.to_vec()));
    let append = |element, call, at| operation(ListInput::Append(element), call, at, ListOutput::Appended);
    assert!(is_ok(&ListAppend, &[append(1, 0, 9), append(2, 0, 9), list(&[2], 1, 3), list(&[2, 1], 4, 8)]));
    assert!(!is_ok(&ListAppend, &[append(1, 0, 1), append(2, 2, 3), list(&[2, 1], 4, 5)]), "appended in the other order");
}

#[test]
#[should_panic(expected = "before it was called")]
fn time_that_runs_backwards_is_refused() {
    check(&Register, &[read(None, 5, 4)], ENOUGH);
}

#[test]
fn a_recorded_history_has_the_order_of_its_events() {
    let mut history = History::new();
    let first = history.call(1, RegisterInput::Write(1));
    let second = history.call(2, RegisterInput::Write(2));
    history.returned(first, RegisterOutput::Written);
    history.failed(second);
    assert_eq!(
        history.operations(),
        [write(1, 1, 3), pending(RegisterInput::Write(2), 2, Outcome::Failed)].map(|mut operation| {
            operation.process = operation.call;
            operation
        })
    );
}

/// Tries every order of every choice of what came true.
fn brute_force<M: Model>(model: &M, history: &[Operation<M::Input, M::Output>]) -> bool {
    let left: Vec<_> = history.iter().filter(|operation| !matches!(operation.outcome, Outcome::Failed)).collect();
    place(model, &model.initial(), &left)
}

fn place<M: Model>(model: &M, state: &M::State, left: &[&Operation<M::Input, M::Output>]) -> bool {
    let returned = |operation: &Operation<M::Input, M::Output>| match &operation.outcome {
        Outcome::Returned { at, output } => Some((*at, output.clone())),
        _ => None,
    };
    if left.iter().all(|operation| returned(operation).is_none()) {
        return true;
    }
    (0..left.len()).any(|nth| {
        let next = left[nth];
        let is_first = left.iter().all(|other| returned(other).is_none_or(|(at, _)| at >= next.call));
        let after = model.step(state, &next.input, returned(next).map(|(_, output)| output).as_ref());
        let rest: Vec<_> = [&left[..nth], &left[nth + 1..]].concat();
        is_first && after.is_some_and(|after| place(model, &after, &rest))
    })
}

/// Calls that took effect one after another, at times 100, 200, and so on, with calls and returns up to `jitter` around them.
fn linear<M: Model>(
    model: &M,
    calls: &[(M::Input, u16, u16, u8)],
    jitter: u64,
    answer: impl Fn(&M::State, &M::Input) -> M::Output,
) -> Vec<Operation<M::Input, M::Output>> {
    let mut state = model.initial();
    let mut history = Vec::new();
    for (nth, (input, before, after, fate)) in calls.iter().enumerate() {
        let moment = 100 * (nth as u64 + 1) + jitter;
        let (call, at) = (moment - u64::from(*before) % (jitter + 1), moment + u64::from(*after) % (jitter + 1));
        let output = answer(&state, input);
        let outcome = match fate {
            // An unknown outcome that came true, one that did not, and a failure.
            0 => Outcome::Unknown,
            1 => {
                history.push(pending(input.clone(), call, Outcome::Unknown));
                continue;
            }
            2 => {
                history.push(pending(input.clone(), call, Outcome::Failed));
                continue;
            }
            _ => Outcome::Returned { at, output },
        };
        state = model.step(&state, input, None).expect("without an output any answer will do");
        history.push(pending(input.clone(), call, outcome));
    }
    history
}

#[expect(clippy::ref_option, reason = "a state comes as a reference, whatever it is")]
fn register_answer(state: &Option<u64>, input: &RegisterInput) -> RegisterOutput {
    match input {
        RegisterInput::Read => RegisterOutput::Value(*state),
        RegisterInput::Write(_) => RegisterOutput::Written,
        RegisterInput::Cas { expected, .. } => RegisterOutput::Exchanged(expected == state),
    }
}

fn register_input(values: u64) -> impl Strategy<Value = RegisterInput> {
    prop_oneof![
        Just(RegisterInput::Read),
        (0..values).prop_map(RegisterInput::Write),
        (prop::option::of(0..values), 0..values).prop_map(|(expected, new)| RegisterInput::Cas { expected, new }),
    ]
}

fn timed<I: Debug>(input: impl Strategy<Value = I>, most: usize) -> impl Strategy<Value = Vec<(I, u16, u16, u8)>> {
    prop::collection::vec((input, any::<u16>(), any::<u16>(), 0..12_u8), 0..most)
}

/// Holds the verdict to the one of trying everything, and a counterexample to what it says of itself.
fn assert_agrees<M: Model>(model: &M, history: &[Operation<M::Input, M::Output>]) -> bool {
    let expected = brute_force(model, history);
    match check(model, history, ENOUGH) {
        Verdict::Unknown => panic!("the budget was enough"),
        Verdict::Ok => assert!(expected, "called legal, and no order explains {history:?}"),
        Verdict::Illegal(found) => {
            assert!(!expected, "called illegal, and an order explains {history:?}");
            let Outcome::Returned { at: end, .. } = history[found.culprit].outcome else { panic!("only a return can be wrong") };
            let until = |is_in: &dyn Fn(u64, usize) -> bool| -> Vec<_> {
                let part = history.iter().enumerate().filter(|(_, operation)| operation.call <= end);
                part.map(|(id, operation)| match operation.outcome {
                    Outcome::Returned { at, .. } if !is_in(at, id) => Operation { outcome: Outcome::Unknown, ..operation.clone() },
                    _ => operation.clone(),
                })
                .collect()
            };
            assert!(
                !brute_force(model, &until(&|at, id| at < end || id == found.culprit)) || !brute_force(model, &until(&|at, _| at <= end))
            );
            assert!(brute_force(model, &until(&|at, _| at < end)), "an earlier return was wrong already");
            assert!(found.window.contains(&found.culprit));
            let is_left_out = |(id, operation): (usize, &Operation<_, _>)| {
                matches!(operation.outcome, Outcome::Returned { at, .. } if at <= end) && !found.order.contains(&id)
            };
            assert!(history.iter().enumerate().any(is_left_out));
        }
    }
    expected
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_happened_one_after_another_is_legal_however_long_it_took(calls in timed(register_input(4), 120), jitter in 0..450_u64) {
        let history = linear(&Register, &calls, jitter, register_answer);
        prop_assert_eq!(check(&Register, &history, ENOUGH), Verdict::Ok);
        prop_assert_eq!(check(&UniqueRegister, &history, ENOUGH), Verdict::Ok);
    }

    #[test]
    fn a_changed_answer_is_judged_as_trying_everything_judges_it(
        calls in timed(register_input(3), 8),
        jitter in 0..250_u64,
        at in any::<prop::sample::Index>(),
        value in prop::option::of(0..4_u64),
        done in any::<bool>(),
    ) {
        let mut history = linear(&Register, &calls, jitter, register_answer);
        assert_agrees(&Register, &history);
        if !history.is_empty() {
            let changed = at.index(history.len());
            if let Outcome::Returned { output, .. } = &mut history[changed].outcome {
                match output {
                    RegisterOutput::Value(seen) => *seen = value,
                    RegisterOutput::Exchanged(was) => *was = done,
                    RegisterOutput::Written => {}
                }
            }
            assert_agrees(&Register, &history);
        }
    }

    #[test]
    fn random_answers_of_a_list_are_judged_as_trying_everything_judges_them(
        calls in prop::collection::vec((any::<bool>(), 0..12_u64, 0..8_u64, 0..6_u8), 0..8),
        lists in prop::collection::vec(0..4_usize, 8),
    ) {
        // Reads see some beginning of the list of all appends: often enough a legal one.
        let all: Vec<u64> = (0..calls.len() as u64).filter(|&nth| calls[nth as usize].0).collect();
        let history: Vec<_> = calls.iter().enumerate().map(|(nth, &(appends, call, took, fate))| {
            let (input, output) = if appends {
                (ListInput::Append(nth as u64), ListOutput::Appended)
            } else {
                (ListInput::Read, ListOutput::List(all[..lists[nth].min(all.len())].to_vec()))
            };
            let outcome = match fate { 0 => Outcome::Unknown, 1 => Outcome::Failed, _ => Outcome::Returned { at: call + took, output } };
            pending(input, call, outcome)
        }).collect();
        assert_agrees(&ListAppend, &history);
    }

    #[test]
    fn random_transfers_are_judged_as_trying_everything_judges_them(
        calls in prop::collection::vec((0..3_usize, 0..3_usize, 0..4_u64, any::<bool>(), 0..12_u64, 0..8_u64), 0..7),
        seen in prop::collection::vec(0..5_u64, 3),
    ) {
        let bank = Bank { accounts: vec![3, 1, 0] };
        let mut history: Vec<_> = calls.iter().map(|&(from, to, amount, moved, call, took)| {
            operation(BankInput::Transfer { from, to, amount }, call, call + took, BankOutput::Moved(moved))
        }).collect();
        assert_agrees(&bank, &history);
        history.push(operation(BankInput::Read, 6, 9, BankOutput::Accounts(seen)));
        assert_agrees(&bank, &history);
    }
}

#[test]
fn random_histories_are_legal_about_as_often_as_not() {
    // The agreement above would say little if nearly all of its histories were of one kind.
    let (mut legal, mut illegal) = (0, 0);
    let mut seed = 1_u64;
    let mut dice = |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    for _ in 0..2_000 {
        let history: Vec<_> = (0..6)
            .map(|_| {
                let (call, took) = (dice(10), dice(8));
                match dice(3) {
                    0 => read(Some(dice(3)), call, call + took),
                    1 => cas(dice(3), dice(3), dice(3) == 0, call, call + took),
                    _ => write(dice(3), call, call + took),
                }
            })
            .collect();
        if assert_agrees(&Register, &history) { legal += 1 } else { illegal += 1 }
    }
    assert!(legal > 300 && illegal > 300, "{legal} legal, {illegal} illegal");
}
