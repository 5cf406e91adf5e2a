//! A store on several members that agree by Raft, for when one machine is not enough.
//!
//! A member keeps a log of commands ([`crate::log`]) and the state that they made, in the file of a [store](crate::Embedded). Members speak in
//! frames ([`crate::frame`]) over a [`Transport`]. Which library agrees on the log is known to this folder alone.
//!
//! ```
//! use std::time::Duration;
//! use jarre_kv_store::{Cluster, ClusterOptions, Member, Store, frame::Token};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! // A cluster of one, which others can be added to.
//! let token = Token::new(b"thirty-two bytes, random in life").unwrap();
//! let options = ClusterOptions::new(7, 1, token, folder.path()).founded_by([Member::new(1, "127.0.0.1:7001")]);
//! let member = Cluster::start(options).await?;
//! member.ready(Duration::from_secs(10)).await?;
//! member.put(b"key", b"value").await?;
//! assert_eq!(member.get(b"key").await?.unwrap().value, b"value");
//! member.shutdown().await;
//! # Ok::<(), jarre_kv_store::Error>(()) }).unwrap();
//! ```

mod connection;
mod consensus;
#[cfg(feature = "testing")]
mod disks;
pub(crate) mod entropy;
mod founding;
mod leadership;
mod machine;
mod membership;
mod network;
mod options;
mod pace;
mod peers;
mod proposer;
mod reads;
mod reigns;
mod replica;
mod rpc;
mod runtime;
mod server;
mod snapshot;
mod stalemate;
mod state_file;
mod storage;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod unfinished;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use jarre_core::BoxFuture;
use tokio::{runtime::Handle, task::JoinSet};

#[cfg(feature = "testing")]
pub use disks::Disks;
pub use options::ClusterOptions;
#[cfg(feature = "tls")]
pub use tls::TlsTransport;
pub use transport::{Listener, Stream, Tcp, Transport};

use crate::{
    Entry, Error, KeyRange, Lease, LeaseId, Member, Members, Metrics, Page, RaftMember, RaftStatus, RangeRequest, Result, Revision,
    SessionId, SnapshotInfo, Status, Store, Txn, TxnOutcome, Verified, Watch, WatchRequest,
    forward::forward_store,
    frame::Identity,
    local::{Local, Shared, read},
};
use leadership::Leadership;
use machine::Machine;
use network::Network;
use options::Place;
use pace::Pace;
use peers::Peers;
use proposer::Proposer;
use reads::Reads;
use reigns::Reigns;
use replica::Replica;
use rpc::LeaderAsk;
use server::Server;

/// A member of a cluster that keeps the same store: what is acknowledged is on the disks of a majority, and survives the loss of fewer than
/// half of the members.
///
/// Members agree by Raft (openraft 0.9) on a log of commands, which each of them carries out. Every member takes every request: what
/// needs the leader is passed on to it, reads are answered from this member's own state, once it is known to be as new as was asked for.
/// A change whose outcome is not known within the request's time ends in [`Error::Unknown`]; a [`Session`](crate::Session) may repeat it.
///
/// Its futures and its tasks need the tokio runtime that it was started on.
pub struct Cluster {
    local: Local<Replica>,
    address: String,
    pace: Arc<Pace>,
    reigns: Arc<Reigns>,
    /// Those that serve, propose and keep time; they end with the member.
    tasks: Mutex<JoinSet<()>>,
}

impl Cluster {
    /// Starts a member, and returns once it listens. It takes part in the cluster from then on; [`ready`](Self::ready) waits for a leader.
    /// Reads what the log holds first, which may take as long as the disk does.
    ///
    /// # Errors
    /// [`Corrupt`](Error::Corrupt) where the log or the state is damaged, [`Membership`](Error::Membership) where the folder is another
    /// member's or lost its log, [`InUse`](Error::InUse), [`Io`](Error::Io).
    pub async fn start(options: ClusterOptions) -> Result<Self> {
        let shared = Arc::new(Shared::new(Arc::clone(&options.clock), options.limits));
        shared.give_time_up();
        let pace = Arc::new(Pace::new(options.id));
        let storage = storage::open(&options, &shared, &pace)?;
        let listening = options.transport.listen(&options.listen).await;
        let listener = listening.map_err(|error| Error::io(format!("listen at {}", options.listen), error))?;
        let address = listener.local_address().map_err(|error| Error::io("learn where it listens", error))?;

        let identity = Identity { cluster: options.cluster, node: options.id, token: options.token.clone() };
        let peers = Arc::new(Peers::new(identity.clone(), storage.life, Arc::clone(&options.transport)));
        let since_snapshot = Arc::new(AtomicU64::new(0));
        let machine =
            Machine { state: Arc::clone(&storage.state), shared: Arc::clone(&shared), since_snapshot: Arc::clone(&since_snapshot) };
        let network = Network { peers: Arc::clone(&peers), pace: Arc::clone(&pace), threaded: options.is_threaded() };
        let mut tasks = JoinSet::new();
        // openraft may wait for the log while it starts.
        #[cfg(feature = "testing")]
        options.slow_disk().map(|sync_takes| tasks.spawn(sync(storage.log.clone(), sync_takes)));
        let log = storage.log.clone();
        let raft = openraft::Raft::new(options.id, Arc::new(options.raft()?), network, storage.log, machine).await;
        let raft = raft.map_err(|error| Error::Poisoned { reason: error.to_string() })?;

        let (proposer, proposing) = Proposer::new(raft.clone(), Arc::clone(&pace));
        let (reads, reading) = Reads::new(raft.clone());
        let (reigns, counting) = Reigns::new(raft.clone(), log);
        let replica = Arc::new(Replica {
            id: options.id,
            raft,
            state: storage.state,
            shared,
            proposer,
            reads,
            peers,
            pace: Arc::clone(&pace),
            election: options.election,
            request_timeout: options.request_timeout,
            fresh_at: Mutex::default(),
        });
        let server = Server { replica: Arc::clone(&replica), identity, life: storage.life, spool: options.spool() };
        let leadership =
            Leadership { replica: Arc::clone(&replica), pace: Arc::clone(&pace), since_snapshot, snapshot_bytes: options.snapshot_bytes };
        tasks.spawn(proposing);
        tasks.spawn(reading);
        tasks.spawn(counting);
        tasks.spawn(Arc::new(server).run(listener));
        tasks.spawn(leadership.run());
        tasks.spawn(stalemate::end(replica.raft.clone(), options.election));
        tasks.spawn(founding::found(Arc::clone(&replica), storage.life, options.founders));
        Ok(Self { local: Local { engine: replica }, address, pace, reigns, tasks: Mutex::new(tasks) })
    }

    /// Waits until a leader is known.
    ///
    /// # Errors
    /// [`NoQuorum`](Error::NoQuorum) where there is none within `limit`, [`Poisoned`](Error::Poisoned) where the member stopped.
    pub async fn ready(&self, limit: Duration) -> Result<()> {
        let mut metrics = self.replica().raft.metrics();
        let known = tokio::time::timeout(limit, metrics.wait_for(|metrics| replica::leader(metrics).is_some())).await;
        self.replica().shared.sound()?;
        known.map_err(|_| Error::NoQuorum)?.map(drop).map_err(|_| Error::Closed)
    }

    /// Where it listens for other members.
    pub fn peer_address(&self) -> &str {
        &self.address
    }

    /// Its name.
    pub fn id(&self) -> u64 {
        self.replica().id
    }

    /// Who leads, as far as this member knows; in which term this member is; and whether this member believes to lead itself.
    pub fn leadership(&self) -> (Option<u64>, u64, bool) {
        let metrics = self.replica().raft.metrics();
        let metrics = metrics.borrow();
        (metrics.current_leader, metrics.current_term, metrics.state.is_leader())
    }

    /// The term of the vote that this member has on disk: it takes part in no earlier one, whatever happens. What
    /// [`leadership`](Self::leadership) says may be ahead of it, before anybody else is told.
    pub fn voted_in(&self) -> u64 {
        self.pace.voted_in()
    }

    /// The indices of the last entry of its log, of the last that was carried out, and of the last that was given up for a snapshot.
    pub fn log_indices(&self) -> [Option<u64>; 3] {
        let metrics = self.replica().raft.metrics();
        let metrics = metrics.borrow();
        [metrics.last_log_index, metrics.last_applied.map(|id| id.index), metrics.purged.map(|id| id.index)]
    }

    /// Reads all that this member has carried out, holds it to its checksums, and checks that it belongs together. Members that have carried
    /// out the same have the same digest.
    ///
    /// # Errors
    /// [`Corrupt`](Error::Corrupt) with the place where it is damaged.
    pub fn verify(&self) -> Result<Verified> {
        read(self.replica(), crate::machine::verify)
    }

    /// What the member has done since it was started.
    pub fn metrics(&self) -> Metrics {
        self.replica().shared.counters.read()
    }

    /// Ends the member, and waits until it has; its folder is free once this is dropped. Hand leadership over before with
    /// [`step_down`](Members::step_down), so that nobody waits.
    pub async fn shutdown(&self) {
        // Its tasks end with the runtime in any case.
        let _ = self.replica().raft.shutdown().await;
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        self.replica().state.close();
        self.replica().shared.wakers.wake();
    }

    fn replica(&self) -> &Replica {
        &self.local.engine
    }
}

forward_store!([] Cluster, |this| this.local);

impl Members for Cluster {
    fn members(&self) -> BoxFuture<'_, Result<Vec<Member>>> {
        Box::pin(async move { Ok(self.replica().known_members()) })
    }

    fn add(&self, member: Member) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.replica().change_members(LeaderAsk::Add(member)))
    }

    fn promote(&self, id: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.replica().change_members(LeaderAsk::Promote(id)))
    }

    fn remove(&self, id: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.replica().change_members(LeaderAsk::Remove(id)))
    }

    fn step_down(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (leader, ..) = self.leadership();
            // Another's leadership is not this member's to give up.
            if leader == Some(self.id()) { self.replica().change_members(LeaderAsk::StepDown).await } else { Ok(()) }
        })
    }
}

impl RaftMember for Cluster {
    fn term(&self) -> u64 {
        self.replica().raft.metrics().borrow().current_term
    }

    fn raft_status(&self) -> RaftStatus {
        self.reigns.status(self.replica())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let is_down = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty();
        if let (false, Ok(runtime)) = (is_down, Handle::try_current()) {
            let raft = self.replica().raft.clone();
            runtime.spawn(async move { raft.shutdown().await });
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("id", &self.id()).field("address", &self.address).finish_non_exhaustive()
    }
}

impl ClusterOptions {
    fn raft(&self) -> Result<openraft::Config> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let config = openraft::Config {
            cluster_name: format!("{:x}", self.cluster),
            heartbeat_interval: millis(self.heartbeat),
            election_timeout_min: millis(self.election),
            election_timeout_max: millis(self.election.saturating_mul(2)),
            // A part of a snapshot must arrive and be written in that time, and the last one be installed.
            install_snapshot_timeout: millis(self.request_timeout.saturating_mul(12)),
            snapshot_policy: openraft::SnapshotPolicy::LogsSinceLast(self.snapshot_entries),
            max_in_snapshot_log_to_keep: self.snapshot_entries / 4,
            replication_lag_threshold: self.snapshot_entries.saturating_mul(2),
            ..openraft::Config::default()
        };
        config.validate().map_err(|_| Error::Invalid("an election must take longer than a heartbeat".into()))
    }

    fn is_threaded(&self) -> bool {
        matches!(self.storage, Place::Folder(_))
    }

    #[cfg(feature = "testing")]
    fn slow_disk(&self) -> Option<Duration> {
        match &self.storage {
            Place::Folder(_) => None,
            Place::Disks(disks) => Some(disks.sync_takes).filter(|takes| !takes.is_zero()),
        }
    }

    fn spool(&self) -> Option<PathBuf> {
        match &self.storage {
            Place::Folder(folder) => Some(folder.clone()),
            #[cfg(feature = "testing")]
            Place::Disks(_) => None,
        }
    }
}

/// Writes what a log under test has queued, again and again.
#[cfg(feature = "testing")]
async fn sync(log: crate::log::LogStore<consensus::Types>, takes: Duration) {
    loop {
        tokio::time::sleep(takes).await;
        log.flush();
    }
}
