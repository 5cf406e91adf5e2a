use super::Context;
use crate::{Compare, Error, KeyRange, Op, OpResult, Operator, Revision, Target, Txn};

pub(super) async fn compares(context: &Context<'_>) {
    context.put("a", "m").await;
    context.put("other", "x").await;
    let entry = {
        context.put("a", "n").await;
        context.get("a").await.expect("it is there")
    };
    let (created, modified) = (entry.create_revision, entry.mod_revision);
    let bytes = |text: &str| Target::Value(text.as_bytes().to_vec());
    let near = |revision: Revision| [Revision(revision.0 - 1), revision, revision.next()];
    let mut cases: Vec<(&str, [Target; 3])> = vec![
        ("a", [bytes("m"), bytes("n"), bytes("na")]),
        ("a", [Target::Version(1), Target::Version(2), Target::Version(3)]),
        ("a", near(created).map(Target::Created)),
        ("a", near(modified).map(Target::Modified)),
    ];
    for (name, targets) in cases.drain(..) {
        // What is there is greater than the first, the same as the second, and less than the third.
        for (target, [equal, less, greater]) in targets.into_iter().zip([[false, false, true], [true, false, false], [false, true, false]])
        {
            let expected = [(Operator::Equal, equal), (Operator::NotEqual, !equal), (Operator::Less, less), (Operator::Greater, greater)];
            for (operator, holds) in expected {
                let compare = Compare::new(context.key(name), operator, target.clone());
                assert_eq!(succeeds(context, compare.clone()).await, holds, "{compare:?}");
            }
        }
    }
    missing(context).await;
}

/// A key that does not exist is at version and revision zero, and has no value to compare.
async fn missing(context: &Context<'_>) {
    let none = context.key("none");
    assert!(succeeds(context, Compare::missing(none.clone())).await && !succeeds(context, Compare::exists(none.clone())).await);
    assert!(succeeds(context, Compare::unchanged(none.clone(), Revision::ZERO)).await);
    assert!(succeeds(context, Compare::new(none.clone(), Operator::Less, Target::Created(Revision(1)))).await);
    for operator in [Operator::Equal, Operator::NotEqual, Operator::Less, Operator::Greater] {
        let compare = Compare::new(none.clone(), operator, Target::Value(Vec::new()));
        assert!(!succeeds(context, compare).await, "no value compares with {operator:?}");
    }
}

async fn succeeds(context: &Context<'_>, compare: Compare) -> bool {
    context.store.txn(Txn::new().when(compare)).await.expect("a transaction").succeeded
}

pub(super) async fn branches(context: &Context<'_>) {
    context.put("a", "1").await;
    let swap = |from: &str, to: &str| {
        let txn = Txn::new().when(Compare::value(context.key("a"), from)).when(Compare::missing(context.key("b")));
        let txn = txn.then(Op::put(context.key("a"), to)).then(Op::put(context.key("log"), to));
        txn.otherwise(Op::put(context.key("failed"), to)).otherwise(Op::get(context.key("a")))
    };
    let taken = context.store.txn(swap("1", "2")).await.expect("a transaction");
    assert!(taken.succeeded && taken.results == [OpResult::Put { prev: None }, OpResult::Put { prev: None }], "{taken:?}");
    let (a, log) = (context.get("a").await.expect("written"), context.get("log").await.expect("written"));
    assert_eq!((a.mod_revision, log.mod_revision), (taken.revision, taken.revision), "at one revision");
    assert_eq!(context.get("failed").await, None, "the other branch was not taken");

    context.put("b", "in the way").await;
    let refused = context.store.txn(swap("2", "3")).await.expect("a transaction");
    assert!(!refused.succeeded, "one compare of two does not hold");
    let Some(OpResult::Get(page)) = refused.results.get(1) else { panic!("a read gives a page: {refused:?}") };
    assert_eq!(page.entries[0].value, b"2");
    assert_eq!(context.get("failed").await.map(|entry| entry.value), Some(b"3".to_vec()));
}

pub(super) async fn sees_itself(context: &Context<'_>) {
    context.put("a", "old").await;
    let all = || Op::get_range(context.all());
    let txn = Txn::new().then(all()).then(Op::put(context.key("b"), "new")).then(all()).then(Op::delete(context.key("a"))).then(all());
    let outcome = context.store.txn(txn).await.expect("a transaction");
    let seen: Vec<Vec<String>> = outcome
        .results
        .iter()
        .filter_map(|result| if let OpResult::Get(page) = result { Some(context.names(page)) } else { None })
        .collect();
    assert_eq!(seen, [vec!["a"], vec!["a", "b"], vec!["b"]]);
}

pub(super) async fn previous(context: &Context<'_>) {
    context.put("a", "1").await;
    context.put("b", "2").await;
    let put = Txn::new().then(Op::put(context.key("a"), "3").with_prev()).then(Op::put(context.key("new"), "4").with_prev());
    let results = context.store.txn(put).await.expect("a transaction").results;
    let [OpResult::Put { prev: Some(before) }, OpResult::Put { prev: None }] = &*results else { panic!("{results:?}") };
    assert_eq!((&*before.value, before.version), (&b"1"[..], 1));
    let delete = Txn::new().then(Op::delete_range(KeyRange::new(context.key("a"), context.key("c"))).with_prev());
    let results = context.store.txn(delete).await.expect("a transaction").results;
    let [OpResult::Delete { deleted: 2, prev }] = &*results else { panic!("{results:?}") };
    assert_eq!(prev.iter().map(|entry| &*entry.value).collect::<Vec<_>>(), [b"3", b"2"]);
}

pub(super) async fn twice(context: &Context<'_>) {
    let put = |name: &str| Op::put(context.key(name), "x");
    let overlapping = Op::delete_range(KeyRange::new(context.key("a"), context.key("c")));
    let cases = [
        Txn::new().then(put("a")).then(put("a")),
        Txn::new().then(put("b")).then(overlapping.clone()),
        Txn::new().then(overlapping).then(put("b")),
    ];
    let before = context.revision().await;
    for txn in cases {
        let refused = context.store.txn(txn).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert_eq!(context.revision().await, before, "nothing was done");
    let apart = Txn::new().when(Compare::missing(context.key("a"))).then(put("a")).otherwise(put("a"));
    assert!(context.store.txn(apart).await.is_ok(), "once in each branch is once");
}
