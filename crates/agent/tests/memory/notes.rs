use std::{sync::Arc, thread};

use jarre_agent::memory::Scratchpad;
use jarre_core::{ErrorKind, Tool, ToolContext, ToolOutput, testing::contract};
use jarre_kv_store::{Memory, Store};
use pollster::block_on;
use serde_json::{Value, json};

fn call(notes: &Scratchpad, key: &str, arguments: Value) -> ToolOutput {
    block_on(notes.call(arguments, &ToolContext::new(key))).unwrap()
}

#[test]
fn notes_keep_the_contract_of_a_tool() {
    let notes = Scratchpad::new(Arc::new(Memory::new()), "s", 1000);
    block_on(contract::tool(&notes, &json!({"action": "append", "text": "x"})));
    assert_eq!(block_on(notes.text()).unwrap(), "x\n", "a call that is repeated adds nothing");
    for wrong in [
        json!({"action": "erase"}),
        json!({"action": "write"}),
        json!({"action": "read", "more": 1}),
        json!({"action": "write", "text": 1}),
    ] {
        assert_eq!(block_on(notes.call(wrong, &ToolContext::new("w"))).unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn notes_are_those_of_their_session_and_stay() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let notes = Scratchpad::new(store.clone(), "one", 1000);
    assert_eq!(call(&notes, "1", json!({"action": "read"})).text, "(no notes yet)");
    call(&notes, "2", json!({"action": "write", "text": "old"}));
    call(&notes, "3", json!({"action": "write", "text": "a"}));
    call(&notes, "4", json!({"action": "append", "text": "b"}));
    call(&notes, "2", json!({"action": "write", "text": "old"}));
    assert_eq!(call(&notes, "5", json!({"action": "read"})).text, "ab\n");
    assert_eq!(block_on(Scratchpad::new(store.clone(), "one", 1000).text()).unwrap(), "ab\n");
    assert_eq!(block_on(Scratchpad::new(store, "two", 1000).text()).unwrap(), "");
}

#[test]
fn notes_hold_no_more_than_they_may() {
    let notes = Scratchpad::new(Arc::new(Memory::new()), "s", 8);
    assert!(!call(&notes, "1", json!({"action": "append", "text": "äää"})).is_error);
    let full = call(&notes, "2", json!({"action": "append", "text": "x"}));
    assert!(full.is_error && full.text.contains("9 bytes"), "{}", full.text);
    assert_eq!(block_on(notes.text()).unwrap(), "äää\n");
    assert!(!call(&notes, "3", json!({"action": "write", "text": "12345678"})).is_error);
}

#[test]
fn notes_of_many_at_once_are_all_kept() {
    let notes = Scratchpad::new(Arc::new(Memory::new()), "s", 1000);
    thread::scope(|scope| {
        for thread in 0..4 {
            let notes = &notes;
            scope.spawn(move || {
                for number in 0..8 {
                    let (key, arguments) = (format!("{thread} {number}"), json!({"action": "append", "text": "line"}));
                    while block_on(notes.call(arguments.clone(), &ToolContext::new(&*key))).is_err() {}
                }
            });
        }
    });
    assert_eq!(block_on(notes.text()).unwrap().lines().count(), 32);
}

#[test]
fn nothing_that_is_done_with_notes_has_to_be_tested() {
    let notes = Scratchpad::new(Arc::new(Memory::new()), "run", 4);
    for arguments in [json!({"action": "read"}), json!({"action": "append", "text": "a"}), json!({"action": "append", "text": "too long"})]
    {
        let output = block_on(notes.call(arguments, &ToolContext::new("k"))).unwrap();
        assert_eq!(output.data, Some(json!({"changed": false})), "{}", output.text);
    }
}
