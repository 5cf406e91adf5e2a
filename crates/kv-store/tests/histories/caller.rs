use std::future::Future;

use jarre_kv_store::{Entry, KeyRange, Op, Page, RangeRequest, Result, Txn, TxnOutcome, testing::nemesis::Dice};

use super::record::{End, Record, end_of};

/// A client that asks one thing at a time, and writes down what it sees.
pub(crate) trait Caller: Send {
    /// Its number.
    fn id(&self) -> u64;

    /// Where it writes.
    fn record(&self) -> &Record;

    /// By which it decides.
    fn dice(&mut self) -> &mut Dice;

    /// Whether it is to ask again.
    fn goes_on(&self) -> bool;

    /// Waits before it asks again.
    fn think(&mut self) -> impl Future<Output = ()> + Send;

    /// Reads.
    fn range(&mut self, request: RangeRequest) -> impl Future<Output = Result<Page>> + Send;

    /// Has a transaction carried out.
    fn carry_out(&mut self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send;
}

/// What a key holds, by a linearizable read.
pub(crate) async fn get(caller: &mut impl Caller, key: &[u8]) -> Result<Option<Entry>> {
    Ok(caller.range(RangeRequest::new(KeyRange::key(key))).await?.entries.into_iter().next())
}

/// Puts a value that is put once.
pub(crate) async fn put(caller: &mut impl Caller, key: &[u8], value: u64) -> End {
    let result = caller.carry_out(Txn::new().then(Op::put(key, encode(value)))).await;
    let end = end_of(&result, |outcome| Some(outcome.revision));
    caller.record().lock().put(key, value, end);
    end
}

pub(crate) fn encode(value: u64) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

pub(crate) fn decode(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks_exact(8).map(|chunk| u64::from_be_bytes(chunk.try_into().unwrap())).collect()
}

pub(super) fn encode_all(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    values.into_iter().flat_map(u64::to_be_bytes).collect()
}
