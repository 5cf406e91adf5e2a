use std::time::Duration;

use super::Context;
use crate::{Error, KeyRange, RangeRequest, ReadLevel};

pub(super) async fn bounds(context: &Context<'_>) {
    for name in ["a", "b", "b/1", "b/2", "c"] {
        context.put(name, name).await;
    }
    let names = async |request: RangeRequest| context.names(&context.range(request).await);
    let between = |from: &str, to: &str| RangeRequest::new(KeyRange::new(context.key(from), context.key(to)));
    assert_eq!(names(context.all().into()).await, ["a", "b", "b/1", "b/2", "c"]);
    assert_eq!(names(between("a", "c")).await, ["a", "b", "b/1", "b/2"], "the end is not in it");
    assert_eq!(names(between("aa", "b/2")).await, ["b", "b/1"]);
    assert_eq!(names(between("c", "a")).await, [""; 0], "a range that is turned around is empty");
    assert_eq!(names(between("b", "b")).await, [""; 0]);
    assert_eq!(names(KeyRange::prefix(context.key("b/")).into()).await, ["b/1", "b/2"]);
    assert_eq!(names(RangeRequest::new(context.all()).reversed()).await, ["c", "b/2", "b/1", "b", "a"]);
    assert_eq!(names(between("b", "c").reversed().with_limit(2)).await, ["b/2", "b/1"]);
    assert_eq!(names(RangeRequest::new(context.all()).with_limit(2)).await, ["a", "b"]);
    assert_eq!(names(RangeRequest::new(context.all()).with_limit(0)).await, [""; 0]);
}

pub(super) async fn order(context: &Context<'_>) {
    let mut keys: Vec<Vec<u8>> =
        [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff].into_iter().flat_map(|a| [vec![a], vec![a, 0], vec![a, 0, 1], vec![a, 0xff]]).collect();
    keys.push(Vec::new());
    for key in keys.iter().rev() {
        context.put(key, key).await;
    }
    keys.sort();
    let read = |page: crate::Page| page.entries.into_iter().map(|entry| entry.value).collect::<Vec<_>>();
    assert_eq!(read(context.range(context.all().into()).await), keys);
    let reversed = read(context.range(RangeRequest::new(context.all()).reversed()).await);
    assert!(reversed.iter().eq(keys.iter().rev()), "{reversed:?}");
    for key in &keys {
        let one = context.range(KeyRange::key(context.key(key)).into()).await;
        assert_eq!(read(one), std::slice::from_ref(key), "one key is a range of its own");
    }
}

pub(super) async fn pages(context: &Context<'_>) {
    for number in 0..25 {
        context.put(format!("{number:02}"), "first").await;
        context.put(format!("{number:02}"), "second").await;
    }
    for reverse in [false, true] {
        let mut request = RangeRequest::new(context.all()).with_limit(4);
        request.reverse = reverse;
        let (mut next, mut names, mut pages) = (Some(request), Vec::new(), 0);
        while let Some(request) = next {
            let page = context.range(request).await;
            assert!(page.entries.iter().all(|entry| entry.value == b"second"), "later writes are not on the page");
            names.extend(context.names(&page));
            next = page.next;
            pages += 1;
            context.put(format!("{:02}", 3 * pages), "third").await;
            context.store.delete(&context.key(format!("{:02}", 24 - pages))).await.expect("a key is deleted");
        }
        if reverse {
            names.reverse();
        }
        assert_eq!(names, (0..25).map(|number| format!("{number:02}")).collect::<Vec<_>>());
        assert_eq!(pages, 7, "of four entries each");
        for number in 0..25 {
            context.put(format!("{number:02}"), "second").await;
        }
    }
}

pub(super) async fn keys_only(context: &Context<'_>) {
    context.put("a", "value").await;
    let page = context.range(RangeRequest::new(context.all()).keys_only()).await;
    assert_eq!((context.names(&page), page.entries[0].value.len(), page.entries[0].version), (vec!["a".to_owned()], 0, 1));
}

pub(super) async fn levels(context: &Context<'_>) {
    context.put("a", "1").await;
    let stale = ReadLevel::Stale { max_age: Duration::from_mins(1) };
    let page = context.range(RangeRequest::new(context.all()).with_level(stale)).await;
    assert!(context.names(&page).len() <= 1, "a stale read is of some state that was");
    match context.store.range(RangeRequest::new(context.all()).with_level(ReadLevel::Lease)).await {
        Ok(page) => assert_eq!(context.names(&page), ["a"], "a lease read sees what was acknowledged"),
        Err(Error::Unsupported(_)) => {}
        Err(error) => panic!("a lease read is served or not offered: {error}"),
    }
}
