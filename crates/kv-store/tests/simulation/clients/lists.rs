use jarre_kv_store::{
    Compare, Op, Revision, Txn,
    testing::linearizability::{ListInput, ListOutput, SetInput, SetOutput},
};

use super::{Client, carry_out, decode, encode_all, get};
use crate::record::{End, end_of};

impl Client {
    /// Appends to lists, and reads them.
    pub(crate) async fn lists(mut self) {
        while self.goes_on() {
            let at = self.dice.below(2);
            let key = format!("list/{at}").into_bytes();
            if self.dice.happens(0.5) {
                let value = self.record.fresh_value();
                let call = self.record.lock().lists.call(self.id, (at, ListInput::Append(value)));
                let end = self.edit(&key, |list| [list, vec![value]].concat()).await;
                let mut seen = self.record.lock();
                match end {
                    End::Acknowledged(_) => seen.lists.returned(call, ListOutput::Appended),
                    End::Failed => seen.lists.failed(call),
                    End::Unknown => {}
                }
            } else {
                let call = self.record.lock().lists.call(self.id, (at, ListInput::Read));
                if let Ok(entry) = self.ask(get(&key)).await {
                    let list = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
                    self.record.lock().lists.returned(call, ListOutput::List(list));
                }
            }
            self.think().await;
        }
    }

    /// Adds to a set by compare-and-swap, and reads it.
    pub(crate) async fn sets(mut self) {
        let key = b"set";
        while self.goes_on() {
            if self.dice.happens(0.5) {
                let value = self.record.fresh_value();
                let call = self.record.lock().sets.call(self.id, (0, SetInput::Add(value)));
                let end = self.edit(key, |set| [set, vec![value]].concat()).await;
                let mut seen = self.record.lock();
                match end {
                    End::Acknowledged(_) => seen.sets.returned(call, SetOutput::Changed(true)),
                    End::Failed => seen.sets.failed(call),
                    End::Unknown => {}
                }
            } else {
                let call = self.record.lock().sets.call(self.id, (0, SetInput::Read));
                if let Ok(entry) = self.ask(get(key)).await {
                    let set = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
                    self.record.lock().sets.returned(call, SetOutput::Elements(set.into_iter().collect()));
                }
            }
            self.think().await;
        }
    }

    /// Changes a list of numbers by compare-and-swap, in a few tries.
    async fn edit(&mut self, key: &[u8], change: impl Fn(Vec<u64>) -> Vec<u64>) -> End {
        for _ in 0..4 {
            let Ok(entry) = self.ask(get(key)).await else { continue };
            let revision = entry.as_ref().map_or(Revision::ZERO, |entry| entry.mod_revision);
            let changed = encode_all(change(entry.map_or_else(Vec::new, |entry| decode(&entry.value))));
            let txn = Txn::new().when(Compare::unchanged(key, revision)).then(Op::put(key, changed));
            let result = self.ask(carry_out(txn)).await;
            match end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision)) {
                End::Failed => {}
                end => return end,
            }
        }
        End::Failed
    }
}
