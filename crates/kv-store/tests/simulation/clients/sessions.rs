use std::time::Duration;

use jarre_kv_store::{Error, Op, Refusal, SessionTag, Store, Txn};
use tokio::time::sleep;

use super::Client;
use crate::histories::{
    caller::{Caller, encode},
    record::End,
};

impl Client {
    /// Puts values through a session, each again and again until it is acknowledged or given up.
    pub(crate) async fn session(mut self) {
        let key = format!("session/{}", self.id).into_bytes();
        let mut session = None;
        let mut sequence = 0;
        while self.goes_on() {
            let Some(id) = session else {
                session = self.ask(|cluster| Box::pin(async move { cluster.open_session().await })).await.ok();
                sequence = 0;
                self.think().await;
                continue;
            };
            sequence += 1;
            let value = self.record.fresh_value();
            let mut txn = Txn::new().then(Op::put(&*key, encode(value)));
            txn.session = Some(SessionTag { id, sequence });
            let end = self.persist(&txn).await;
            self.record.lock().put(&key, value, end);
            self.think().await;
        }
    }

    async fn persist(&mut self, txn: &Txn) -> End {
        let mut end = End::Failed;
        for _ in 0..12 {
            match self.carry_out(txn.clone()).await {
                Ok(outcome) => return End::Acknowledged(outcome.revision),
                Err(Error::Unknown { .. }) => end = End::Unknown,
                Err(Error::Refused(refusal @ (Refusal::SessionExpired | Refusal::SessionMovedOn { .. }))) => {
                    self.record.lock().problem(format!("a session that is in use was refused: {refusal}"));
                    return end;
                }
                Err(_) => {}
            }
            sleep(Duration::from_millis(50 + self.dice.below(200))).await;
        }
        end
    }
}
