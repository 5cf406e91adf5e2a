use super::Context;
use crate::{Error, RangeRequest, Refusal, Result, Revision, WatchRequest};

fn is_compacted<T: std::fmt::Debug>(result: &Result<T>, at: Revision) -> bool {
    matches!(result, Err(Error::Refused(Refusal::Compacted { at: found })) if *found == at)
}

/// A watch that was overtaken says so, at once or after those changes that it had taken before.
async fn overtaken(context: &Context<'_>, slow: &mut crate::Watch, first: Revision, at: Revision) {
    let mut end = slow.next().await.expect("a watch ends with the reason");
    let mut last = Revision(first.0 - 1);
    while let (true, Ok(batch)) = (context.subject.watches_ahead(), &end) {
        assert_eq!(batch.revision, last.next(), "until then nothing is left out");
        last = batch.revision;
        if last > at {
            return;
        }
        end = slow.next().await.expect("a watch ends with the reason");
    }
    assert!(is_compacted(&end, at), "a watch that was overtaken says so: {end:?}");
}

pub(super) async fn past(context: &Context<'_>) {
    let first = context.put("a", "1").await;
    context.put("gone", "1").await;
    context.put("quiet", "1").await;
    context.store.delete(&context.key("gone")).await.expect("it is deleted");
    // More than one command would sweep.
    for number in 0..2500 {
        context.put("a", number.to_string()).await;
    }
    let at = context.put("a", "at").await;
    context.put("a", "after").await;
    let last = context.put("b", "after").await;
    let mut slow = context.store.watch(WatchRequest::new(context.all()).from(first)).await.expect("a watch begins");
    context.store.compact(at).await.expect("the past is given up");

    let read = async |revision| {
        let page = context.store.range(RangeRequest::new(context.all()).at(revision)).await?;
        Ok::<_, Error>(page.entries.iter().map(|entry| String::from_utf8_lossy(&entry.value).into_owned()).collect::<Vec<_>>())
    };
    assert!(is_compacted(&read(Revision(at.0 - 1)).await, at), "what was before is refused");
    assert_eq!(read(at).await.expect("the state at it stays"), ["at", "1"]);
    assert_eq!(read(last).await.expect("later states stay"), ["after", "after", "1"]);
    let entry = context.get("a").await.expect("it is there");
    assert_eq!((entry.create_revision, entry.version), (first, 2503), "a key's own history is not forgotten");
    assert_eq!(context.get("gone").await, None);

    assert!(is_compacted(&context.store.compact(at).await, at), "a second time is refused");
    let future = context.store.compact(last.next()).await;
    assert!(matches!(future, Err(Error::Refused(Refusal::FutureRevision { .. }))), "{future:?}");
    assert!(is_compacted(&context.store.watch(WatchRequest::new(context.all()).from(first)).await, at));
    overtaken(context, &mut slow, first, at).await;
    let mut kept = context.store.watch(WatchRequest::new(context.all()).from(at.next()).with_prev()).await.expect("later changes stay");
    let batch = kept.next().await.expect("it goes on").expect("it delivers");
    assert_eq!(batch.revision, at.next());
    let prev = if let [crate::Event::Put { prev, .. }] = &*batch.events { prev.clone() } else { None };
    assert_eq!(prev.map(|entry| entry.value), Some(b"at".to_vec()), "and what was before them");
}
