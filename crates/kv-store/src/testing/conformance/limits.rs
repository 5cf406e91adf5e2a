use super::Context;
use crate::{Error, Limits, Op, Result, Txn};

pub(super) async fn refused(context: &Context<'_>) {
    let limits = Limits::default();
    let before = context.revision().await;
    let too_large = |result: Result<crate::TxnOutcome>| assert!(matches!(result, Err(Error::TooLarge { .. })), "{result:?}");
    let put = |key: Vec<u8>, value: Vec<u8>| context.store.txn(Txn::new().then(Op::put(key, value)));
    let long = context.key("x".repeat(limits.key + 1 - context.prefix.len()));
    too_large(put(long, Vec::new()).await);
    too_large(put(context.key("a"), vec![0; limits.value + 1]).await);
    let many = (0..=limits.operations).fold(Txn::new(), |txn, number| txn.then(Op::put(context.key(number.to_string()), "")));
    too_large(context.store.txn(many).await);
    let value = vec![0; limits.value];
    let heavy = (0..5).fold(Txn::new(), |txn, number| txn.then(Op::put(context.key(number.to_string()), value.clone())));
    too_large(context.store.txn(heavy).await);
    let empty = context.store.txn(Txn::new().then(Op::put("", "value"))).await;
    assert!(matches!(empty, Err(Error::Invalid(_))), "{empty:?}");
    assert_eq!(context.revision().await, before, "nothing was done");

    let longest = context.key("x".repeat(limits.key - context.prefix.len()));
    put(longest.clone(), value.clone()).await.expect("the limits themselves are allowed");
    assert_eq!(context.store.get(&longest).await.expect("it is read").map(|entry| entry.value), Some(value));
    let page = context.range(context.all().into()).await;
    assert_eq!(page.entries.len(), 1, "a page has an entry, however large");
}
