use super::Context;
use crate::{Error, RangeRequest, Refusal};

pub(super) async fn past(context: &Context<'_>) {
    let empty = context.revision().await;
    let first = context.put("a", "1").await;
    let second = context.put("b", "2").await;
    // More versions than anyone would step over one by one.
    for round in 0..40 {
        context.put("a", format!("later {round}")).await;
    }
    context.store.delete(&context.key("a")).await.expect("a key is deleted");
    let last = context.put("c", "3").await;
    for reverse in [false, true] {
        let at = async |revision| {
            let mut request = RangeRequest::new(context.all()).at(revision);
            request.reverse = reverse;
            let page = context.range(request).await;
            assert_eq!(page.revision, last, "a page says where the store is now");
            let mut read: Vec<_> = page.entries.iter().map(|entry| String::from_utf8_lossy(&entry.value).into_owned()).collect();
            if reverse {
                read.reverse();
            }
            read
        };
        assert_eq!(at(empty).await, [""; 0]);
        assert_eq!(at(first).await, ["1"]);
        assert_eq!(at(second).await, ["1", "2"]);
        assert_eq!(at(crate::Revision(second.0 + 7)).await, ["later 6", "2"]);
        assert_eq!(at(crate::Revision(last.0 - 1)).await, ["2"]);
        assert_eq!(at(last).await, ["2", "3"]);
    }
}

pub(super) async fn future(context: &Context<'_>) {
    let now = context.put("a", "1").await;
    let read = context.store.range(RangeRequest::new(context.all()).at(now.next())).await;
    assert!(matches!(read, Err(Error::Refused(Refusal::FutureRevision { .. }))), "{read:?}");
}
