use jarre_kv_store::{
    Compare, Entry, KeyRange, Op, OpResult, RangeRequest, Store, Txn,
    testing::linearizability::{BankInput, BankOutput},
};

use super::{Client, carry_out, decode, encode};
use crate::record::{End, end_of};

impl Client {
    /// Moves money between accounts, and reads them all.
    pub(crate) async fn bank(mut self, accounts: usize) {
        while self.goes_on() {
            if self.dice.happens(0.6) {
                let from = self.dice.below(accounts as u64) as usize;
                let to = (from + 1 + self.dice.below(accounts as u64 - 1) as usize) % accounts;
                let amount = 1 + self.dice.below(4);
                self.transfer(from, to, amount).await;
            } else {
                let call = self.record.lock().bank.call(self.id, BankInput::Read);
                let all = RangeRequest::new(KeyRange::prefix("account/"));
                if let Ok(page) = self.ask(move |cluster| Box::pin(async move { cluster.range(all).await })).await {
                    let held = page.entries.iter().map(|entry| decode(&entry.value)[0]).collect();
                    self.record.lock().bank.returned(call, BankOutput::Accounts(held));
                }
            }
            self.think().await;
        }
    }

    async fn transfer(&mut self, from: usize, to: usize, amount: u64) {
        let keys = [from, to].map(|account| format!("account/{account}").into_bytes());
        let both = Txn::new().then(Op::get(&*keys[0])).then(Op::get(&*keys[1]));
        let Ok(found) = self.ask(carry_out(both)).await else { return };
        let entries: Vec<Entry> = found
            .results
            .into_iter()
            .filter_map(|result| match result {
                OpResult::Get(page) => page.entries.into_iter().next(),
                _ => None,
            })
            .collect();
        let [from_entry, to_entry] = &entries[..] else { return self.record.lock().problem("an account is gone".to_owned()) };
        let held = [from_entry, to_entry].map(|entry| decode(&entry.value)[0]);
        let Some(left) = held[0].checked_sub(amount) else { return };
        let call = self.record.lock().bank.call(self.id, BankInput::Transfer { from, to, amount });
        let unchanged = |entry: &Entry| Compare::unchanged(entry.key.clone(), entry.mod_revision);
        let txn = Txn::new().when(unchanged(from_entry)).when(unchanged(to_entry));
        let txn = txn.then(Op::put(&*keys[0], encode(left))).then(Op::put(&*keys[1], encode(held[1] + amount)));
        let result = self.ask(carry_out(txn)).await;
        let mut seen = self.record.lock();
        match end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision)) {
            End::Acknowledged(_) => seen.bank.returned(call, BankOutput::Moved(true)),
            End::Failed => seen.bank.failed(call),
            End::Unknown => {}
        }
    }
}
