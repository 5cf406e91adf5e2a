use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use openraft::{Entry, EntryPayload, ErrorSubject, ErrorVerb, OptionalSend, RaftSnapshotBuilder, storage::RaftStateMachine};

use super::{
    consensus::{Answers, LogId, Membership, Snapshot, SnapshotMeta, StorageError, Types},
    snapshot::{SnapshotData, Spool},
    state_file::{StateFile, is_void},
};
use crate::{Error, Result, local::Shared};

/// The state machine as openraft drives it.
#[derive(Clone)]
pub(super) struct Machine {
    pub(super) state: Arc<StateFile>,
    pub(super) shared: Arc<Shared>,
    /// Bytes of commands carried out since the last snapshot.
    pub(super) since_snapshot: Arc<AtomicU64>,
}

impl Machine {
    fn carry_out(&self, entries: &[Entry<Types>]) -> Result<Vec<Answers>> {
        self.shared.sound()?;
        let began = self.shared.now();
        let answers = self.state.apply(entries)?;
        let took = self.shared.now().saturating_sub(began);
        self.tell(entries, &answers, took);
        Ok(answers)
    }

    /// Tells those who keep time and those who watch.
    fn tell(&self, entries: &[Entry<Types>], answers: &[Answers], took: Duration) {
        let (mut commands, mut bytes) = (0, 0);
        let proposals = entries.iter().zip(answers).filter_map(|(entry, answers)| match &entry.payload {
            EntryPayload::Normal(proposal) => Some((entry.log_id, proposal, answers)),
            _ => None,
        });
        let carried_out = proposals.flat_map(|(id, proposal, answers)| {
            commands += proposal.commands.len();
            bytes += proposal.commands.iter().map(|command| command.size() as u64).sum::<u64>();
            let pairs = proposal.commands.iter().zip(&answers.0);
            pairs.filter(move |(command, _)| !is_void(command, &id))
        });
        self.shared.observe(carried_out);
        self.since_snapshot.fetch_add(bytes, Relaxed);
        self.shared.counters.committed(commands, took);
        self.shared.wakers.wake();
    }

    fn freeze(&self) -> Result<Option<Snapshot>> {
        let (applied, last_membership, frozen) = self.state.freeze()?;
        let Some(id) = applied else { return Ok(None) };
        self.since_snapshot.store(0, Relaxed);
        let meta = SnapshotMeta { last_log_id: applied, last_membership, snapshot_id: id.to_string() };
        Ok(Some(Snapshot { meta, snapshot: Box::new(SnapshotData::Here(frozen)) }))
    }

    /// What openraft is told where the state cannot be kept; the store stops with it.
    fn failed(&self, verb: ErrorVerb) -> impl FnOnce(Error) -> StorageError + '_ {
        move |error| {
            self.shared.poison(&error);
            StorageError::from_io_error(ErrorSubject::StateMachine, verb, std::io::Error::other(error))
        }
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        self.state.applied_state().map_err(self.failed(ErrorVerb::Read))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answers>, StorageError>
    where
        I: IntoIterator<Item = Entry<Types>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<_> = entries.into_iter().collect();
        self.carry_out(&entries).map_err(self.failed(ErrorVerb::Write))
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        Ok(Box::new(SnapshotData::Came(Spool::Memory(Vec::new()))))
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Box<SnapshotData>) -> Result<(), StorageError> {
        let SnapshotData::Came(mut spool) = *snapshot else { return Ok(()) };
        let installed = spool.reader().and_then(|from| self.state.install(meta.last_log_id, &meta.last_membership, from));
        installed.map_err(self.failed(ErrorVerb::Write))?;
        tracing::info!(snapshot = %meta, "a snapshot was installed");
        self.shared.wakers.wake();
        Ok(())
    }

    /// A snapshot is no file that is kept: it is the state as it is now, which stays readable while it is sent.
    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        self.freeze().map_err(self.failed(ErrorVerb::Read))
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let frozen = self.freeze().and_then(|frozen| frozen.ok_or(Error::Invalid("a snapshot of nothing was asked for".into())));
        frozen.map_err(self.failed(ErrorVerb::Write))
    }
}
