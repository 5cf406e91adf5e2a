use jarre_kv_store::{
    Compare, Op, Txn,
    testing::linearizability::{RegisterInput, RegisterOutput},
};

use super::{
    caller::{Caller, decode, encode, get, put},
    record::{End, end_of},
};

/// Reads, writes and exchanges values of a few keys, each value once.
pub(crate) async fn registers(mut caller: impl Caller, keys: u64) {
    let mut known = vec![None; keys as usize];
    while caller.goes_on() {
        let at = caller.dice().below(keys);
        match caller.dice().below(4) {
            0 | 1 => {
                if let Some(value) = read(&mut caller, at).await {
                    known[at as usize] = value;
                }
            }
            2 => known[at as usize] = Some(write(&mut caller, at).await),
            _ => exchange(&mut caller, at, known[at as usize]).await,
        }
        caller.think().await;
    }
}

fn key(at: u64) -> Vec<u8> {
    format!("register/{at}").into_bytes()
}

/// What it saw, where it was answered.
async fn read(caller: &mut impl Caller, at: u64) -> Option<Option<u64>> {
    let id = caller.id();
    let call = caller.record().lock().registers.call(id, (at, RegisterInput::Read));
    let entry = get(caller, &key(at)).await.ok()?;
    let value = entry.map(|entry| decode(&entry.value)[0]);
    let mut seen = caller.record().lock();
    seen.counts.reads += 1;
    seen.registers.returned(call, RegisterOutput::Value(value));
    Some(value)
}

async fn write(caller: &mut impl Caller, at: u64) -> u64 {
    let (id, value) = (caller.id(), caller.record().fresh_value());
    let call = caller.record().lock().registers.call(id, (at, RegisterInput::Write(value)));
    let end = put(caller, &key(at), value).await;
    ended(caller, call, end, RegisterOutput::Written);
    value
}

async fn exchange(caller: &mut impl Caller, at: u64, expected: Option<u64>) {
    let (id, new, key) = (caller.id(), caller.record().fresh_value(), key(at));
    let call = caller.record().lock().registers.call(id, (at, RegisterInput::Cas { expected, new }));
    let compare = expected.map_or_else(|| Compare::missing(&*key), |value| Compare::value(&*key, encode(value)));
    let result = caller.carry_out(Txn::new().when(compare).then(Op::put(&*key, encode(new)))).await;
    if matches!(&result, Ok(outcome) if !outcome.succeeded) {
        caller.record().lock().registers.returned(call, RegisterOutput::Exchanged(false));
    }
    let end = end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision));
    caller.record().lock().put(&key, new, end);
    if result.as_ref().map_or(true, |outcome| outcome.succeeded) {
        ended(caller, call, end, RegisterOutput::Exchanged(true));
    }
}

fn ended(caller: &impl Caller, call: usize, end: End, output: RegisterOutput) {
    let mut seen = caller.record().lock();
    match end {
        End::Acknowledged(_) => seen.registers.returned(call, output),
        End::Failed => seen.registers.failed(call),
        End::Unknown => {}
    }
}
