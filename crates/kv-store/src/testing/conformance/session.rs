use super::Context;
use crate::{Error, Op, Refusal, Session, SessionTag, Txn};

pub(super) async fn once(context: &Context<'_>) {
    let mut session = match Session::open(&context.store).await {
        Err(Error::Unsupported(_)) => return,
        session => session.expect("a session is opened"),
    };
    let other = Session::open(&context.store).await.expect("another is opened");
    assert_ne!(session.id(), other.id());
    let append = |value: &str| Txn::new().then(Op::put(context.key("a"), value).with_prev());
    let first = session.tag(append("1"));
    let outcome = context.store.txn(first.clone()).await.expect("a transaction");
    context.put("b", "in between").await;
    for _ in 0..3 {
        assert_eq!(context.store.txn(first.clone()).await.expect("the same answer"), outcome);
    }
    assert_eq!(context.get("a").await.map(|entry| entry.version), Some(1), "it was carried out once");

    let second = session.tag(append("2"));
    context.store.txn(second).await.expect("a transaction");
    let late = context.store.txn(first).await;
    assert!(matches!(late, Err(Error::Refused(Refusal::SessionMovedOn { last: 2 }))), "{late:?}");
    assert_eq!(context.get("a").await.map(|entry| entry.value), Some(b"2".to_vec()), "what is late changes nothing");

    context.store.close_session(session.id()).await.expect("it is closed");
    let closed = session.txn(append("3"), 2).await;
    assert!(matches!(closed, Err(Error::Refused(Refusal::SessionExpired))), "{closed:?}");
    let mut foreign = append("4");
    foreign.session = Some(SessionTag { id: other.id(), sequence: 1 });
    assert!(context.store.txn(foreign).await.is_ok(), "sessions do not know each other");
    context.store.close_session(other.id()).await.expect("it is closed");
}
