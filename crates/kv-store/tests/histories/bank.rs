use jarre_kv_store::{
    Compare, Entry, KeyRange, Op, OpResult, RangeRequest, Txn,
    testing::linearizability::{BankInput, BankOutput},
};

use super::{
    caller::{Caller, decode, encode},
    record::{End, end_of},
};

/// Accounts, and what each holds at first.
pub(super) const ACCOUNTS: usize = 4;
pub(super) const HELD: u64 = 20;

/// Gives every account what it holds at first.
pub(crate) fn opening() -> Txn {
    (0..ACCOUNTS).fold(Txn::new(), |txn, account| txn.then(Op::put(key(account), encode(HELD))))
}

/// Moves money between accounts, and reads them all.
pub(crate) async fn bank(mut caller: impl Caller) {
    while caller.goes_on() {
        if caller.dice().happens(0.6) {
            let from = caller.dice().below(ACCOUNTS as u64) as usize;
            let to = (from + 1 + caller.dice().below(ACCOUNTS as u64 - 1) as usize) % ACCOUNTS;
            let amount = 1 + caller.dice().below(4);
            transfer(&mut caller, from, to, amount).await;
        } else {
            read(&mut caller).await;
        }
        caller.think().await;
    }
}

fn key(account: usize) -> Vec<u8> {
    format!("account/{account}").into_bytes()
}

async fn read(caller: &mut impl Caller) {
    let id = caller.id();
    let call = caller.record().lock().bank.call(id, BankInput::Read);
    if let Ok(page) = caller.range(RangeRequest::new(KeyRange::prefix("account/"))).await {
        let held = page.entries.iter().map(|entry| decode(&entry.value)[0]).collect();
        caller.record().lock().bank.returned(call, BankOutput::Accounts(held));
    }
}

async fn transfer(caller: &mut impl Caller, from: usize, to: usize, amount: u64) {
    let Some([source, target]) = both(caller, from, to).await else { return };
    let held = [&source, &target].map(|entry| decode(&entry.value)[0]);
    let Some(left) = held[0].checked_sub(amount) else { return };
    let id = caller.id();
    let call = caller.record().lock().bank.call(id, BankInput::Transfer { from, to, amount });
    let unchanged = |entry: &Entry| Compare::unchanged(entry.key.clone(), entry.mod_revision);
    let txn = Txn::new().when(unchanged(&source)).when(unchanged(&target));
    let txn = txn.then(Op::put(source.key, encode(left))).then(Op::put(target.key, encode(held[1] + amount)));
    let result = caller.carry_out(txn).await;
    let mut seen = caller.record().lock();
    match end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision)) {
        End::Acknowledged(_) => seen.bank.returned(call, BankOutput::Moved(true)),
        End::Failed => seen.bank.failed(call),
        End::Unknown => {}
    }
}

/// Two accounts at one revision.
async fn both(caller: &mut impl Caller, from: usize, to: usize) -> Option<[Entry; 2]> {
    let found = caller.carry_out(Txn::new().then(Op::get(key(from))).then(Op::get(key(to)))).await.ok()?;
    let entry = |result| if let OpResult::Get(page) = result { page.entries.into_iter().next() } else { None };
    let entries: Vec<Entry> = found.results.into_iter().filter_map(entry).collect();
    let entries = entries.try_into().ok();
    if entries.is_none() {
        caller.record().lock().problem("an account is gone".to_owned());
    }
    entries
}
