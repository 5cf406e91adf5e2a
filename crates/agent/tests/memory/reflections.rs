use std::{sync::Arc, thread, time::Duration};

use jarre_agent::{
    Lessons, Reflection,
    memory::{MemoryOptions, ReflectionMemory},
};
use jarre_core::{
    Embedder, EmbedderInfo, Embeddings, Error, ErrorKind,
    testing::{HashEmbedder, ManualClock},
};
use jarre_kv_store::{Embedded, Memory, Store};
use pollster::block_on;

use crate::failures::FAILURES;

fn reflection(failure: &str, instead: &str) -> Reflection {
    Reflection { task: "t".into(), failure: failure.into(), what: "w".into(), why: "y".into(), instead: instead.into() }
}

fn memory(store: &Arc<dyn Store>) -> ReflectionMemory {
    ReflectionMemory::new(store.clone(), Arc::new(ManualClock::new()))
}

fn store() -> Arc<dyn Store> {
    Arc::new(Memory::new())
}

fn remember(memory: &ReflectionMemory, failure: &str, instead: &str) {
    block_on(memory.remember("", &reflection(failure, instead))).unwrap();
}

fn recalled(memory: &ReflectionMemory, failure: &str, limit: usize) -> Vec<String> {
    block_on(memory.recall("", failure, limit)).unwrap().into_iter().map(|reflection| reflection.instead).collect()
}

fn options(capacity: usize) -> MemoryOptions {
    let mut options = MemoryOptions::default();
    options.capacity = capacity;
    options
}

#[test]
fn each_scope_has_its_own() {
    let (store, failure) = (store(), "index out of bounds");
    let memory = memory(&store);
    block_on(memory.remember("tenant a", &reflection(failure, "ask a"))).unwrap();
    let found = |scope: &str| block_on(memory.recall(scope, failure, 3)).unwrap().len();
    assert_eq!((found("tenant a"), found("tenant b"), found("")), (1, 0, 0));
    let kept = |memory: &ReflectionMemory| block_on(memory.all()).unwrap();
    let id = kept(&memory.scoped("tenant a"))[0].id.clone();
    assert!(kept(&memory).is_empty() && !block_on(memory.scoped("tenant b").forget(&id)).unwrap());
    assert!(block_on(memory.scoped("tenant a").forget(&id)).unwrap());
    // A memory that is a tenant's stays that, whatever scopes are named in it.
    block_on(memory.scoped("tenant a").remember("tenant b", &reflection(failure, "ask a"))).unwrap();
    assert_eq!((found("tenant a"), found("tenant b")), (0, 0));
}

#[test]
fn what_was_learnt_in_one_process_is_found_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.kv");
    {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&path).unwrap());
        for (number, (failure, _)) in FAILURES.iter().enumerate() {
            remember(&memory(&store), failure, &format!("advice {number}"));
        }
    }
    let store: Arc<dyn Store> = Arc::new(Embedded::open(&path).unwrap());
    for embedder in [None, Some(Arc::new(HashEmbedder::default()) as Arc<dyn Embedder>)] {
        let memory = embedder.into_iter().fold(memory(&store), ReflectionMemory::with_embedder);
        let found = recalled(&memory, FAILURES[1].1, 3);
        assert_eq!((found.len(), found[0].as_str()), (3, "advice 1"));
    }
}

#[test]
fn nothing_alike_is_not_brought() {
    let memory = memory(&store());
    assert!(recalled(&memory, "anything", 3).is_empty());
    remember(&memory, "index out of bounds", "a");
    assert!(recalled(&memory, "timed out", 3).iter().all(|advice| advice == "a"), "`out` is a word of both");
    assert!(recalled(&memory, "KeyError 12", 3).is_empty());
    assert!(recalled(&memory, "index out of bounds", 0).is_empty());
}

#[test]
fn what_says_the_same_is_kept_once_in_its_last_wording() {
    let memory = memory(&store());
    let long = "thread panicked at lib.rs: index out of bounds: the len is LEN but the index is LEN in window sum of slice";
    remember(&memory, &long.replace("LEN", "5"), "stop one before the end");
    remember(&memory, &long.replace("LEN", "5"), "stop one before the end");
    assert_eq!(block_on(memory.all()).unwrap()[0].seen, 1, "the same again is what a run does that was killed");
    remember(&memory, &long.replace("LEN", "9"), "stop one before the end");
    let kept = block_on(memory.all()).unwrap();
    assert_eq!((kept.len(), kept[0].seen), (1, 2));
    assert!(kept[0].reflection.failure.contains("len is 9"));
    remember(&memory, &long.replace("LEN", "9"), "use an iterator in the place of indices");
    assert_eq!(block_on(memory.all()).unwrap().len(), 2, "other advice for the same failure is another reflection");
    assert!(block_on(memory.forget(&kept[0].id)).unwrap());
    assert!(!block_on(memory.forget(&kept[0].id)).unwrap());
    assert_eq!(block_on(memory.all()).unwrap().len(), 1);
}

#[test]
fn the_least_used_of_the_older_half_leaves() {
    let clock = Arc::new(ManualClock::new());
    let memory = ReflectionMemory::new(store(), clock.clone()).with_options(options(4));
    for word in ["alpha", "beta", "gamma", "delta"] {
        clock.advance(Duration::from_secs(1));
        remember(&memory, word, word);
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(recalled(&memory, "alpha", 1), ["alpha"]);
    remember(&memory, "epsilon", "epsilon");
    let mut kept: Vec<String> = block_on(memory.all()).unwrap().into_iter().map(|kept| kept.reflection.failure).collect();
    kept.sort();
    assert_eq!(kept, ["alpha", "delta", "epsilon", "gamma"], "beta was the oldest that nobody used");
}

#[test]
fn many_at_once_keep_within_the_bound_and_lose_nothing_new() {
    let store = store();
    thread::scope(|scope| {
        for thread in 0..4 {
            let memory = memory(&store).with_options(options(20));
            scope.spawn(move || {
                for number in 0..10_u8 {
                    let word: String = [b'a' + thread, b'a' + number].map(char::from).iter().collect();
                    while block_on(memory.remember("", &reflection(&word.repeat(3), &word))).is_err() {}
                }
            });
        }
    });
    let kept = block_on(memory(&store).all()).unwrap().len();
    assert!((20..=23).contains(&kept), "{kept}: those under way at once may be over the bound by one each");
}

/// Puts every text in another place in each version.
struct Versioned(EmbedderInfo, f32);

impl Embedder for Versioned {
    fn info(&self) -> &EmbedderInfo {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        if self.1 < 0.0 {
            return Err(Error::new(ErrorKind::Unavailable, "down"));
        }
        let row = |text: &&str| if text.contains("alpha") { [1.0, 0.0] } else { [self.1, 1.0] };
        Embeddings::new(2, texts.iter().flat_map(row).collect())
    }
}

fn versioned(store: &Arc<dyn Store>, version: f32) -> ReflectionMemory {
    let info = EmbedderInfo { name: "v".into(), dims: 2, max_tokens: 9, fingerprint: format!("v{version}") };
    memory(store).with_embedder(Arc::new(Versioned(info, version)))
}

#[test]
fn vectors_of_another_embedder_are_made_again() {
    let store = store();
    remember(&versioned(&store, 0.0), "beta", "b");
    remember(&versioned(&store, 0.0), "alpha", "a");
    assert_eq!(recalled(&versioned(&store, 0.0), "alpha x", 2), ["a"], "the other is at a right angle");
    assert_eq!(recalled(&versioned(&store, 0.5), "alpha x", 2), ["a", "b"], "and is not in the second version");
    assert_eq!(recalled(&versioned(&store, 0.0), "alpha x", 2), ["a"]);
    let failed = block_on(versioned(&store, -1.0).recall("", "alpha", 1)).unwrap_err();
    assert!(failed.to_string().contains("down"));
}

#[test]
fn a_failure_of_megabytes_is_kept_by_its_ends() {
    let memory = memory(&store());
    let failure = format!("first {} last", "ä".repeat(2 << 20));
    remember(&memory, &failure, "shorter");
    let kept = &block_on(memory.all()).unwrap()[0].reflection.failure;
    assert!(kept.len() < 10_000 && kept.starts_with("first") && kept.ends_with("last"));
    assert_eq!(recalled(&memory, &failure, 1), ["shorter"]);
}
