//! Any history of puts, removals, commits, crashes and reopenings leaves what a fresh index of the same documents holds.

use std::{collections::BTreeMap, path::Path};

use jarre_rag::index::{IndexWriter, Snapshot};
use proptest::prelude::*;

use crate::fixture::{doc_id, embed, fresh, open, put};

const WORDS: [&str; 8] = ["harbour", "ferries", "engine", "the", "rust", "borrow", "naïve", "東京"];

#[derive(Clone, Debug)]
enum Step {
    Put(u8, Vec<Vec<u8>>),
    Remove(u8),
    Commit,
    /// The writer goes without a commit, and a new one comes.
    Crash,
    CommitAndReopen,
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop::collection::vec(0_u8..8, 1..6);
    prop_oneof![
        6 => (0_u8..8, prop::collection::vec(line, 0..4)).prop_map(|(id, lines)| Step::Put(id, lines)),
        2 => (0_u8..8).prop_map(Step::Remove),
        3 => Just(Step::Commit),
        1 => Just(Step::Crash),
        1 => Just(Step::CommitAndReopen),
    ]
}

fn text(lines: &[Vec<u8>]) -> String {
    lines.iter().map(|line| line.iter().map(|&word| WORDS[word as usize]).collect::<Vec<_>>().join(" ") + "\n").collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn a_history_leaves_what_a_fresh_index_holds(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = open(dir.path()).writer().unwrap();
        let (mut committed, mut pending) = (BTreeMap::new(), BTreeMap::new());
        for step in steps {
            writer = apply(dir.path(), writer, step, &mut committed, &mut pending);
            prop_assert_eq!(contents(&writer.snapshot()), committed.clone());
        }
        drop(writer);
        let plain = tempfile::tempdir().unwrap();
        let plain = fresh(plain.path(), committed.iter().map(|(id, text)| (id.as_str(), text.as_str())));
        assert_same(&Snapshot::open(dir.path()).unwrap(), &plain);
    }
}

type Texts = BTreeMap<String, String>;

fn apply(dir: &Path, mut writer: IndexWriter, step: Step, committed: &mut Texts, pending: &mut Texts) -> IndexWriter {
    match step {
        Step::Put(id, lines) => {
            let (id, text) = (format!("d{id}"), text(&lines));
            put(&mut writer, &id, &text);
            pending.insert(id, text);
        }
        Step::Remove(id) => {
            let id = format!("d{id}");
            assert_eq!(writer.remove(&doc_id(&id)), pending.remove(&id).is_some());
        }
        Step::Commit => commit(&mut writer, committed, pending),
        Step::Crash => {
            pending.clone_from(committed);
            return reopen(dir, writer);
        }
        Step::CommitAndReopen => {
            commit(&mut writer, committed, pending);
            return reopen(dir, writer);
        }
    }
    writer
}

fn commit(writer: &mut IndexWriter, committed: &mut Texts, pending: &Texts) {
    writer.commit().unwrap();
    committed.clone_from(pending);
}

fn reopen(dir: &Path, writer: IndexWriter) -> IndexWriter {
    drop(writer);
    open(dir).writer().unwrap()
}

fn contents(snapshot: &Snapshot) -> Texts {
    snapshot.documents().map(|document| (document.id.0.clone(), document.text.clone())).collect()
}

/// Two indexes answer alike, down to the last bit of a score.
fn assert_same(left: &Snapshot, right: &Snapshot) {
    assert_eq!(left.digest().unwrap(), right.digest().unwrap());
    assert_eq!((left.len(), left.chunks().count()), (right.len(), right.len()));
    for word in WORDS {
        assert_eq!(left.sparse(word, 100, None).unwrap(), right.sparse(word, 100, None).unwrap(), "{word}");
        assert_eq!(left.dense(&embed(word), 5, None).unwrap(), right.dense(&embed(word), 5, None).unwrap(), "{word}");
        assert_eq!(left.doc_freq(word).unwrap(), right.doc_freq(word).unwrap());
    }
    let all = WORDS.join(" ");
    assert_eq!(left.sparse(&all, 7, None).unwrap(), right.sparse(&all, 7, None).unwrap());
}
