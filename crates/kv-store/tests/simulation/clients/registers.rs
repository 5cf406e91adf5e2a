use jarre_kv_store::{
    Compare, Op, Txn,
    testing::linearizability::{RegisterInput, RegisterOutput},
};

use super::{Client, carry_out, decode, encode, get};
use crate::record::{End, end_of};

impl Client {
    /// Reads, writes and exchanges values of a few keys, each value once.
    pub(crate) async fn registers(mut self, keys: u64) {
        let mut known = vec![None; keys as usize];
        while self.goes_on() {
            let at = self.dice.below(keys);
            let key = format!("register/{at}").into_bytes();
            match self.dice.below(4) {
                0 | 1 => {
                    let call = self.record.lock().registers.call(self.id, (at, RegisterInput::Read));
                    if let Ok(entry) = self.ask(get(&key)).await {
                        let value = entry.map(|entry| decode(&entry.value)[0]);
                        known[at as usize] = value;
                        let mut seen = self.record.lock();
                        seen.counts.reads += 1;
                        seen.registers.returned(call, RegisterOutput::Value(value));
                    }
                }
                2 => {
                    let value = self.record.fresh_value();
                    let call = self.record.lock().registers.call(self.id, (at, RegisterInput::Write(value)));
                    let end = self.put(&key, value).await;
                    self.register_ended(call, end, RegisterOutput::Written);
                    known[at as usize] = Some(value);
                }
                _ => self.exchange(at, &key, known[at as usize]).await,
            }
            self.think().await;
        }
    }

    async fn exchange(&mut self, at: u64, key: &[u8], expected: Option<u64>) {
        let new = self.record.fresh_value();
        let call = self.record.lock().registers.call(self.id, (at, RegisterInput::Cas { expected, new }));
        let compare = expected.map_or_else(|| Compare::missing(key), |value| Compare::value(key, encode(value)));
        let result = self.ask(carry_out(Txn::new().when(compare).then(Op::put(key, encode(new))))).await;
        if matches!(&result, Ok(outcome) if !outcome.succeeded) {
            self.record.lock().registers.returned(call, RegisterOutput::Exchanged(false));
        }
        let end = end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision));
        self.record.lock().put(key, new, end);
        if result.as_ref().map_or(true, |outcome| outcome.succeeded) {
            self.register_ended(call, end, RegisterOutput::Exchanged(true));
        }
    }

    fn register_ended(&self, call: usize, end: End, output: RegisterOutput) {
        let mut seen = self.record.lock();
        match end {
            End::Acknowledged(_) => seen.registers.returned(call, output),
            End::Failed => seen.registers.failed(call),
            End::Unknown => {}
        }
    }
}
