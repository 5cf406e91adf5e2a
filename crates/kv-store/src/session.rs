use serde::{Deserialize, Serialize};

use crate::{Result, SessionId, Store, Txn, TxnOutcome};

/// Marks a transaction as a session's request of this number. While it is the session's last, carrying it out again returns the answer
/// of the first time and changes nothing (Ongaro, "Consensus: bridging theory and practice", section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionTag {
    /// Whose.
    pub id: SessionId,
    /// Which: each new request has a greater one.
    pub sequence: u64,
}

/// A client whose retries are carried out once. One request is under way at a time.
///
/// The store keeps the answer to each session's last request, for the sessions that were used last: an idle one can be forgotten, and
/// then gets [`Refusal::SessionExpired`](crate::Refusal::SessionExpired) instead of being carried out twice.
///
/// ```
/// use jarre_kv_store::{Memory, Op, Session, Store, Txn};
///
/// # pollster::block_on(async {
/// let store = Memory::new();
/// let mut session = Session::open(&store).await?;
/// let request = session.tag(Txn::new().then(Op::put("counter", "1")));
/// let first = store.txn(request.clone()).await?;
/// assert_eq!(store.txn(request).await?, first, "repeated, not done twice");
/// assert_eq!(store.get(b"counter").await?.unwrap().version, 1);
/// # Ok::<(), jarre_kv_store::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Session<S> {
    store: S,
    id: SessionId,
    sequence: u64,
}

impl<S: Store> Session<S> {
    /// A new session with `store`.
    ///
    /// # Errors
    /// As every mutation. After [`Error::Unknown`](crate::Error::Unknown) it may exist and never be used; another can be opened.
    pub async fn open(store: S) -> Result<Self> {
        let id = store.open_session().await?;
        Ok(Self { store, id, sequence: 0 })
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// `txn` as the session's next request. It may be carried out any number of times until the next one is tagged.
    pub fn tag(&mut self, mut txn: Txn) -> Txn {
        self.sequence += 1;
        txn.session = Some(SessionTag { id: self.id, sequence: self.sequence });
        txn
    }

    /// Carries out `txn` once, in up to `attempts` tries without a pause. Who wants to wait in between uses [`tag`](Self::tag).
    ///
    /// # Errors
    /// The last try's. After one that [is retryable](crate::Error::is_retryable) the outcome is unknown.
    pub async fn txn(&mut self, txn: Txn, attempts: usize) -> Result<TxnOutcome> {
        let txn = self.tag(txn);
        for _ in 1..attempts {
            match self.store.txn(txn.clone()).await {
                Err(error) if error.is_retryable() => {}
                result => return result,
            }
        }
        self.store.txn(txn).await
    }
}
