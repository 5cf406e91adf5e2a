use std::{fs, io, path::Path, sync::Arc};

use openraft::Vote;
use redb::{Builder, Database};
use serde::{Deserialize, Serialize};

use super::{
    consensus::Types,
    entropy,
    options::{ClusterOptions, Place},
    pace::Pace,
    state_file::StateFile,
};
use crate::{
    Error, Result,
    embedded::{disk::failed, making, open::check_format, wall::behind_a_wall},
    local::Shared,
    log::{Disk, FsDisk, LogConfig, LogStore, Observer, RaftLog},
};

/// The folder of the log, and the file of the state.
const LOG: &str = "log";
const STATE: &str = "state.kv";

/// Bytes of a segment on a disk under test, where it costs memory.
const SMALL_SEGMENT: u64 = 128 << 10;

/// Whose the storage is.
const IDENTITY: &str = "identity";

/// What a member must not lose.
pub(super) struct Storage {
    pub(super) log: LogStore<Types>,
    pub(super) state: Arc<StateFile>,
    pub(super) life: u64,
}

/// Written when the storage is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    cluster: u64,
    id: u64,
    life: u64,
    /// Whether its log has been begun.
    complete: bool,
}

/// Opens a member's storage, or makes it where there is nothing.
pub(super) fn open(options: &ClusterOptions, shared: &Arc<Shared>, pace: &Arc<Pace>) -> Result<Storage> {
    let (log, state, threaded) = match &options.storage {
        Place::Folder(folder) => {
            let path = folder.join(LOG);
            let made = fs::create_dir_all(&path).map_err(|error| Error::io(format!("make {}", path.display()), error));
            made?;
            let state = open_state(&folder.join(STATE), shared)?;
            let disk = FsDisk::open(&path).map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => Error::InUse { path: path.clone() },
                _ => Error::io(format!("open {}", path.display()), error),
            })?;
            (Arc::new(disk) as Arc<dyn Disk>, state, true)
        }
        #[cfg(feature = "testing")]
        Place::Disks(disks) => (Arc::clone(&disks.log), open_state_on(disks, shared)?, false),
    };
    let identity = identify(&state, options)?;
    let mut config = LogConfig::new(options.cluster, options.id).with_salt(entropy::life());
    if !threaded {
        config = config.with_segment_bytes(SMALL_SEGMENT);
    }
    let opened = match &options.storage {
        Place::Folder(_) => RaftLog::open(log, config),
        #[cfg(feature = "testing")]
        Place::Disks(disks) if disks.sync_takes.is_zero() => RaftLog::open_inline(log, config),
        #[cfg(feature = "testing")]
        Place::Disks(_) => RaftLog::open_idle(log, config),
    };
    let (log, recovery) = opened.map_err(|error| Error::corrupt("the log", error.to_string()))?;
    if recovery.torn_bytes > 0 {
        tracing::info!(bytes = recovery.torn_bytes, "a write that was never acknowledged was cut off the log");
    }
    let log = LogStore::observed(log, Arc::clone(pace) as Arc<dyn Observer<Types>>);
    begin_log(&log, &state, identity, pace)?;
    let state = Arc::new(state);
    pace.follows(Arc::clone(&state), Arc::clone(shared));
    Ok(Storage { log, state, life: identity.life })
}

fn open_state(path: &Path, shared: &Arc<Shared>) -> Result<StateFile> {
    making::make(path)?;
    let place = path.display().to_string();
    behind_a_wall(&place, || {
        let database = Builder::new().open(path).map_err(|error| failed(&place, error))?;
        state(database, place.clone(), Some(path), shared)
    })
}

#[cfg(feature = "testing")]
fn open_state_on(disks: &super::Disks, shared: &Arc<Shared>) -> Result<StateFile> {
    let place = "the disk".to_owned();
    crate::embedded::open::fill_if_empty(&disks.state)?;
    behind_a_wall(&place, || {
        let database = Builder::new().create_with_backend(disks.state.clone()).map_err(|error| failed(&place, error))?;
        state(database, place.clone(), None, shared)
    })
}

fn state(database: Database, place: String, path: Option<&Path>, shared: &Arc<Shared>) -> Result<StateFile> {
    check_format(&database, &place)?;
    StateFile::new(database, place, path.map(Path::to_owned), Arc::clone(shared))
}

/// Whose storage it is; new storage is this member's.
fn identify(state: &StateFile, options: &ClusterOptions) -> Result<Identity> {
    let (cluster, id) = (options.cluster, options.id);
    match state.load::<Identity>(IDENTITY)? {
        Some(found) if (found.cluster, found.id) == (cluster, id) => Ok(found),
        Some(found) => Err(Error::Membership(format!(
            "the folder belongs to member {} of cluster {}: give each a folder of its own",
            found.id, found.cluster
        ))),
        None => {
            let identity = Identity { cluster, id, life: entropy::life(), complete: false };
            state.save(IDENTITY, &identity)?;
            Ok(identity)
        }
    }
}

/// A log that was begun holds a vote from then on. One that holds none was lost, and with it votes and entries that others count on.
fn begin_log(log: &LogStore<Types>, state: &StateFile, identity: Identity, pace: &Pace) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("begin the log", error);
    let (vote, next) = log.ends().map_err(failed)?;
    pace.reached(next);
    match (identity.complete, vote) {
        #[cfg(feature = "mutants")]
        (true, Some(vote)) if crate::mutants::Mutant::LeadershipOutlivesProcess.is_in() => {
            pace.voted(&vote);
            Ok(())
        }
        // Who led may have sent entries that a crash took from its own disk: it must not make others of the same term and index.
        (true, Some(vote)) if vote.is_committed() && vote.leader_id().voted_for() == Some(identity.id) => {
            let vote = Vote::new(vote.leader_id().get_term(), identity.id);
            log.save_vote_and_wait(&vote).map_err(failed)?;
            pace.voted(&vote);
            Ok(())
        }
        (true, Some(vote)) => {
            pace.voted(&vote);
            Ok(())
        }
        (true, None) => Err(Error::Membership(format!(
            "the log of member {} is gone, and with it what others count on: remove the member, and add it with an empty folder under another id",
            identity.id
        ))),
        (false, _) => {
            log.save_vote_and_wait(&Vote::<u64>::default()).map_err(failed)?;
            state.save(IDENTITY, &Identity { complete: true, ..identity })
        }
    }
}
