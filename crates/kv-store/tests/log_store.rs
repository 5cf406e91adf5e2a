//! The Raft log under openraft's own storage suite, with a state machine that keeps nothing but what the suite looks at.
#![cfg(all(feature = "cluster", feature = "testing"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io::Cursor,
    sync::{Arc, Mutex},
};

use jarre_kv_store::log::{FsDisk, LogConfig, LogStore, RaftLog, SimDisk};
use openraft::{
    BasicNode, Entry, EntryPayload, LogId, OptionalSend, RaftSnapshotBuilder, Snapshot, SnapshotMeta, StorageError, StoredMembership, Vote,
    storage::{RaftLogReaderExt, RaftLogStorage, RaftLogStorageExt, RaftStateMachine},
    testing::{StoreBuilder, Suite},
};
use tempfile::TempDir;

openraft::declare_raft_types!(Config: D = String, R = ());

type Applied = (Option<LogId<u64>>, StoredMembership<u64, BasicNode>);

#[derive(Clone, Default)]
struct Machine {
    applied: Arc<Mutex<Applied>>,
    snapshot: Arc<Mutex<Option<SnapshotMeta<u64, BasicNode>>>>,
}

impl RaftSnapshotBuilder<Config> for Machine {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Config>, StorageError<u64>> {
        let (last_log_id, last_membership) = self.applied.lock().unwrap().clone();
        let meta = SnapshotMeta { last_log_id, last_membership, snapshot_id: "one".to_owned() };
        *self.snapshot.lock().unwrap() = Some(meta.clone());
        Ok(Snapshot { meta, snapshot: Box::default() })
    }
}

impl RaftStateMachine<Config> for Machine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<Applied, StorageError<u64>> {
        Ok(self.applied.lock().unwrap().clone())
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<()>, StorageError<u64>>
    where
        I: IntoIterator<Item = Entry<Config>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut applied = self.applied.lock().unwrap();
        let mut apply = |entry: Entry<Config>| {
            applied.0 = Some(entry.log_id);
            if let EntryPayload::Membership(membership) = entry.payload {
                applied.1 = StoredMembership::new(Some(entry.log_id), membership);
            }
        };
        Ok(entries.into_iter().map(&mut apply).collect())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError<u64>> {
        Ok(Box::default())
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta<u64, BasicNode>, _: Box<Cursor<Vec<u8>>>) -> Result<(), StorageError<u64>> {
        *self.applied.lock().unwrap() = (meta.last_log_id, meta.last_membership.clone());
        *self.snapshot.lock().unwrap() = Some(meta.clone());
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Config>>, StorageError<u64>> {
        Ok(self.snapshot.lock().unwrap().clone().map(|meta| Snapshot { meta, snapshot: Box::default() }))
    }
}

/// Logs in folders, with a thread each.
struct Folders;

impl StoreBuilder<Config, LogStore<Config>, Machine, TempDir> for Folders {
    async fn build(&self) -> Result<(TempDir, LogStore<Config>, Machine), StorageError<u64>> {
        let dir = tempfile::tempdir().unwrap();
        let config = LogConfig::new(1, 1).with_segment_bytes(1 << 16).with_cache_bytes(0);
        let (log, _) = RaftLog::open(Arc::new(FsDisk::open(dir.path()).unwrap()), config).unwrap();
        Ok((dir, LogStore::new(log), Machine::default()))
    }
}

type Openraft = Suite<Config, LogStore<Config>, Machine, Folders, TempDir>;

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let (_dir, store, machine) = Folders.build().await.unwrap();
                Openraft::$name(store, machine).await.unwrap();
            }
        )*
    };
}

// All of the suite but `get_initial_state_membership_from_log_and_sm`, which appends entry 3 after entry 1: this log refuses holes.
suite!(
    last_membership_in_log_initial,
    last_membership_in_log,
    last_membership_in_log_multi_step,
    get_membership_initial,
    get_membership_from_log_and_empty_sm,
    get_membership_from_empty_log_and_sm,
    get_membership_from_log_le_sm_last_applied,
    get_membership_from_log_gt_sm_last_applied_1,
    get_membership_from_log_gt_sm_last_applied_2,
    get_initial_state_without_init,
    get_initial_state_with_state,
    get_initial_state_last_log_gt_sm,
    get_initial_state_last_log_lt_sm,
    get_initial_state_log_ids,
    get_initial_state_re_apply_committed,
    save_vote,
    get_log_entries,
    limited_get_log_entries,
    try_get_log_entry,
    initial_logs,
    get_log_state,
    get_log_id,
    last_id_in_log,
    last_applied_state,
    purge_logs_upto_0,
    purge_logs_upto_5,
    purge_logs_upto_20,
    delete_logs_since_11,
    delete_logs_since_0,
    append_to_log,
    snapshot_meta,
    apply_single,
    apply_multiple,
);

#[tokio::test]
async fn transfer_snapshot() {
    Openraft::transfer_snapshot(&Folders).await.unwrap();
}

fn id(term: u64, index: u64) -> LogId<u64> {
    LogId::new(openraft::CommittedLeaderId::new(term, 0), index)
}

fn store(disk: &SimDisk) -> LogStore<Config> {
    LogStore::new(RaftLog::open_inline(Arc::new(disk.clone()), LogConfig::new(1, 1).with_segment_bytes(4096)).unwrap().0)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_power_cut() {
    let disk = SimDisk::new();
    let mut before = store(&disk);
    before.save_vote(&Vote::new_committed(3, 1)).await.unwrap();
    let entry = |index: u64| Entry { log_id: id(3, index), payload: EntryPayload::Normal(format!("entry {index}")) };
    before.blocking_append((0..40).map(entry)).await.unwrap();
    before.save_committed(Some(id(3, 20))).await.unwrap();
    before.truncate(id(3, 30)).await.unwrap();
    before.purge(id(3, 10)).await.unwrap();
    drop(before);

    let mut after = store(&disk.after_power_cut(|| false));
    assert_eq!(after.read_vote().await.unwrap(), Some(Vote::new_committed(3, 1)));
    assert_eq!(after.read_committed().await.unwrap(), Some(id(3, 20)));
    let state = after.get_log_state().await.unwrap();
    assert_eq!((state.last_purged_log_id, state.last_log_id), (Some(id(3, 10)), Some(id(3, 29))));
    let entries = after.get_log_entries(11..30).await.unwrap();
    assert_eq!(entries, (11..30).map(entry).collect::<Vec<_>>());
    assert!(after.save_vote(&Vote::new(2, 9)).await.is_err(), "a vote does not go back");
}
