use jarre_kv_store::{
    Compare, Op, Revision, Txn,
    testing::linearizability::{ListInput, ListOutput},
};

use super::{
    caller::{Caller, decode, encode_all, get},
    record::{End, end_of},
};

/// Appends to lists, and reads them.
pub(crate) async fn lists(mut caller: impl Caller) {
    while caller.goes_on() {
        let at = caller.dice().below(2);
        let key = format!("list/{at}").into_bytes();
        if caller.dice().happens(0.5) {
            append(&mut caller, at, &key).await;
        } else {
            read(&mut caller, at, &key).await;
        }
        caller.think().await;
    }
}

async fn append(caller: &mut impl Caller, at: u64, key: &[u8]) {
    let (id, value) = (caller.id(), caller.record().fresh_value());
    let call = caller.record().lock().lists.call(id, (at, ListInput::Append(value)));
    let end = add(caller, key, value).await;
    let mut seen = caller.record().lock();
    match end {
        End::Acknowledged(_) => seen.lists.returned(call, ListOutput::Appended),
        End::Failed => seen.lists.failed(call),
        End::Unknown => {}
    }
}

async fn read(caller: &mut impl Caller, at: u64, key: &[u8]) {
    let id = caller.id();
    let call = caller.record().lock().lists.call(id, (at, ListInput::Read));
    if let Ok(entry) = get(caller, key).await {
        let list = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
        caller.record().lock().lists.returned(call, ListOutput::List(list));
    }
}

/// Adds a number to those that a key holds, by compare-and-swap, in a few tries.
pub(super) async fn add(caller: &mut impl Caller, key: &[u8], value: u64) -> End {
    for _ in 0..4 {
        let Ok(entry) = get(caller, key).await else { continue };
        let revision = entry.as_ref().map_or(Revision::ZERO, |entry| entry.mod_revision);
        let held = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
        let changed = encode_all(held.into_iter().chain([value]));
        let txn = Txn::new().when(Compare::unchanged(key, revision)).then(Op::put(key, changed));
        let result = caller.carry_out(txn).await;
        match end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision)) {
            End::Failed => {}
            end => return end,
        }
    }
    End::Failed
}
