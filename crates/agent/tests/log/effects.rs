use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use jarre_agent::{
    Error,
    log::{Effects, InDoubt, Kept, Once},
};
use jarre_core::{Error as CoreError, ErrorKind, Permission, Tool, ToolContext, ToolOutput, ToolSpec, testing::FnTool, testing::contract};
use jarre_kv_store::Memory;
use pollster::block_on;
use serde_json::{Value, json};

const BOTH: [InDoubt; 2] = [InDoubt::Refuse, InDoubt::Repeat];

fn effects() -> Effects {
    Effects::new(Arc::new(Memory::new()))
}

/// Counts its calls.
fn once(effects: &Effects, in_doubt: InDoubt, count: &AtomicU64) -> Result<u64, Error> {
    block_on(effects.once("key", in_doubt, async || Ok(count.fetch_add(1, Ordering::Relaxed))))
}

#[test]
fn an_effect_happens_once_and_its_output_is_given_again() {
    for in_doubt in BOTH {
        let (store, count) = (Arc::new(Memory::new()), AtomicU64::new(7));
        for _ in 0..3 {
            // Another handle each time, as another process has.
            assert_eq!(once(&Effects::new(store.clone()), in_doubt, &count).unwrap(), 7);
        }
        assert_eq!(count.into_inner(), 8);
    }
}

/// Begins an effect and drops it on the way, as a cancelled call or a killed process does.
fn cut_off(effects: &Effects, in_doubt: InDoubt) {
    let mut call = Box::pin(effects.once::<u64, _>("key", in_doubt, async || std::future::pending().await));
    assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    let (count, meanwhile) = (AtomicU64::new(0), once(effects, in_doubt, &AtomicU64::new(0)));
    assert!(matches!(meanwhile, Err(Error::InDoubt { .. })), "it is under way");
    assert_eq!(count.into_inner(), 0);
}

#[test]
fn what_was_cut_off_is_repeated_only_where_that_does_no_harm() {
    let count = AtomicU64::new(0);
    let effects = effects();
    cut_off(&effects, InDoubt::Refuse);
    assert_eq!(block_on(effects.kept::<u64>("key")).unwrap(), Kept::Begun);
    assert!(matches!(once(&effects, InDoubt::Refuse, &count), Err(Error::InDoubt { key }) if key == "key"));
    assert_eq!(once(&effects, InDoubt::Repeat, &count).unwrap(), 0);
    assert_eq!(once(&effects, InDoubt::Refuse, &count).unwrap(), 0, "now it is known");
    block_on(effects.forget("key")).unwrap();
    assert_eq!(block_on(effects.kept::<u64>("key")).unwrap(), Kept::Nothing);
    cut_off(&effects, InDoubt::Repeat);
    assert_eq!(once(&effects, InDoubt::Repeat, &count).unwrap(), 1);
}

#[test]
fn only_a_failure_that_did_nothing_leaves_no_doubt() {
    for (kind, in_doubt) in [(ErrorKind::InvalidRequest, false), (ErrorKind::Timeout, true), (ErrorKind::Unavailable, true)] {
        let (effects, count) = (effects(), AtomicU64::new(0));
        let failing = async || Err::<u64, _>(CoreError::new(kind, "failed").into());
        assert!(matches!(block_on(effects.once("key", InDoubt::Refuse, failing)), Err(Error::Core(error)) if error.kind() == kind));
        assert_eq!(matches!(once(&effects, InDoubt::Refuse, &count), Err(Error::InDoubt { .. })), in_doubt, "{kind:?}");
    }
}

#[test]
fn of_two_who_do_the_same_both_get_the_output_of_the_first() {
    let store = Arc::new(Memory::new());
    let (slow, quick) = (Effects::new(store.clone()), Effects::new(store));
    let output = block_on(slow.once("key", InDoubt::Repeat, async || {
        assert_eq!(quick.once("key", InDoubt::Repeat, async || Ok(1)).await?, 1);
        Ok(2)
    }));
    assert_eq!(output.unwrap(), 1);
}

#[test]
fn keys_and_outputs_may_be_long_but_not_endless() {
    let effects = effects();
    let key = "ü".repeat(10_000);
    let long = "x".repeat(2 << 20);
    for _ in 0..2 {
        assert_eq!(block_on(effects.once(&key, InDoubt::Refuse, async || Ok(long.clone()))).unwrap(), long);
    }
    let endless = async || Ok("x".repeat(4 << 20));
    assert!(matches!(block_on(effects.once("other", InDoubt::Refuse, endless)), Err(Error::Invalid(_))));
    assert_eq!(block_on(effects.kept::<String>("other")).unwrap(), Kept::Begun, "it happened, so it must not happen again");
}

fn counting(count: &AtomicU64) -> impl Tool + '_ {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    FnTool::new(ToolSpec::new("count", "counts", schema, Permission::Write), move |arguments: &Value, _: &ToolContext| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(ToolOutput::new(arguments["n"].to_string()).with_data(json!({"n": arguments["n"]})))
    })
}

#[test]
fn a_tool_keeps_the_contract_and_acts_once_across_processes() {
    for in_doubt in BOTH {
        let (store, count) = (Arc::new(Memory::new()), AtomicU64::new(0));
        block_on(contract::tool(&Once::new(counting(&count), Effects::new(store.clone()), in_doubt), &json!({"n": 1})));
        let acted = count.load(Ordering::Relaxed);
        let another = Once::new(counting(&count), Effects::new(store), in_doubt);
        let output = block_on(another.call(json!({"n": 1}), &ToolContext::new("contract-once"))).unwrap();
        assert_eq!((output.data, count.load(Ordering::Relaxed)), (Some(json!({"n": 1})), acted));
    }
}

#[test]
fn the_model_is_told_of_a_call_in_doubt() {
    let count = AtomicU64::new(0);
    let effects = effects();
    cut_off(&effects, InDoubt::Refuse);
    let tool = Once::new(counting(&count), effects, InDoubt::Refuse);
    let output = block_on(tool.call(json!({"n": 1}), &ToolContext::new("key"))).unwrap();
    assert!(output.is_error && output.text.contains("count") && output.text.contains("may have"), "{}", output.text);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    let nameless = block_on(tool.call(json!({"n": 1}), &ToolContext::default())).unwrap_err();
    assert_eq!(nameless.kind(), ErrorKind::InvalidRequest);
}
