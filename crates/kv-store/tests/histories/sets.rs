use jarre_kv_store::testing::linearizability::{SetInput, SetOutput};

use super::{
    caller::{Caller, decode, get},
    lists::add,
    record::End,
};

const KEY: &[u8] = b"set";

/// Adds to a set by compare-and-swap, and reads it.
pub(crate) async fn sets(mut caller: impl Caller) {
    while caller.goes_on() {
        if caller.dice().happens(0.5) {
            insert(&mut caller).await;
        } else {
            read(&mut caller).await;
        }
        caller.think().await;
    }
}

async fn insert(caller: &mut impl Caller) {
    let (id, value) = (caller.id(), caller.record().fresh_value());
    let call = caller.record().lock().sets.call(id, (0, SetInput::Add(value)));
    let end = add(caller, KEY, value).await;
    let mut seen = caller.record().lock();
    match end {
        End::Acknowledged(_) => seen.sets.returned(call, SetOutput::Changed(true)),
        End::Failed => seen.sets.failed(call),
        End::Unknown => {}
    }
}

async fn read(caller: &mut impl Caller) {
    let id = caller.id();
    let call = caller.record().lock().sets.call(id, (0, SetInput::Read));
    if let Ok(entry) = get(caller, KEY).await {
        let set = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
        caller.record().lock().sets.returned(call, SetOutput::Elements(set.into_iter().collect()));
    }
}
