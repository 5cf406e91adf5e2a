use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::timeout,
};

use super::{
    consensus::{Proposal, Raft},
    pace::Pace,
    rpc::Failure,
};
use crate::machine::{Answer, Command};

/// Commands of a proposal at most.
const LARGEST: usize = 1024;
/// Bytes of keys and values of a proposal, beyond which it takes no further command.
const LONGEST: usize = 1 << 20;
/// Proposals under way: while one is on its way to the followers the next can be written here.
const UNDER_WAY: usize = 2;
/// How long the outcome of a proposal is waited for once another member leads.
const GRACE: Duration = Duration::from_secs(10);

/// Proposes commands, those that have come meanwhile as one entry: openraft waits for the disk once for each.
#[derive(Debug)]
pub(super) struct Proposer {
    queue: mpsc::UnboundedSender<Job>,
}

#[derive(Debug)]
struct Job {
    command: Command,
    reply: oneshot::Sender<Result<Answer, Failure>>,
}

impl Proposer {
    /// A proposer, and what it does as long as it is polled.
    pub(super) fn new(raft: Raft, pace: Arc<Pace>) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, jobs) = mpsc::unbounded_channel();
        (Self { queue }, propose(raft, pace, jobs))
    }

    /// The answer to `command`, once a quorum has it on disk and this member has carried it out. It is asked for now, and may be carried out
    /// though the future is dropped.
    pub(super) fn propose(&self, command: Command) -> impl Future<Output = Result<Answer, Failure>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let asked = self.queue.send(Job { command, reply });
        async move {
            asked.map_err(|_| stopped())?;
            answer.await.unwrap_or_else(|_| Err(stopped()))
        }
    }
}

async fn propose(raft: Raft, pace: Arc<Pace>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let under_way = Arc::new(Semaphore::new(UNDER_WAY));
    for number in 1.. {
        let Some(first) = jobs.recv().await else { return };
        let permit = Arc::clone(&under_way).acquire_owned().await.expect("the semaphore is never closed");
        pace.takes_proposals().await;
        let (commands, replies) = gather(first, &mut jobs);
        let proposal = Proposal { number, commands };
        let outcome = raft.client_write_ff(proposal).await;
        let (raft, pace) = (raft.clone(), Arc::clone(&pace));
        tokio::spawn(async move {
            let written = match outcome {
                Ok(outcome) => settled(outcome, &raft, permit).await,
                Err(_) => None,
            };
            match written {
                Some(Ok(response)) => {
                    for (reply, answer) in replies.into_iter().zip(response.data.0) {
                        // Who asked may have gone away.
                        let _ = reply.send(Ok(answer));
                    }
                }
                // An entry that was dropped from this log for another leader's may still be in others' logs, and be agreed on yet.
                Some(Err(_)) if pace.was_appended(number) => {
                    fail(replies, &Failure::Unknown("another member took over".to_owned()));
                }
                Some(Err(_)) => fail(replies, &Failure::NotLeader),
                None => fail(replies, &stopped()),
            }
        });
    }
}

/// What became of a proposal; `None` where that will not be known. Others can be under way once this member has lost its lead: openraft 0.9
/// never answers a proposal that came back to its proposer in a snapshot.
async fn settled<T, E>(outcome: impl Future<Output = Result<T, E>>, raft: &Raft, under_way: OwnedSemaphorePermit) -> Option<T> {
    #[cfg(feature = "mutants")]
    if crate::mutants::Mutant::LostProposalsKeepTheirPlaces.is_in() {
        return outcome.await.ok();
    }
    let mut outcome = pin!(outcome);
    tokio::select! {
        biased;
        written = &mut outcome => return written.ok(),
        () = deposed(raft) => drop(under_way),
    }
    timeout(GRACE, outcome).await.ok()?.ok()
}

/// Waits until this member does not lead in the present term any more.
async fn deposed(raft: &Raft) {
    let mut metrics = raft.metrics();
    let term = metrics.borrow().current_term;
    // A member that stopped does not lead either.
    let _ = metrics.wait_for(|metrics| metrics.current_term != term || !metrics.state.is_leader()).await;
}

type Gathered = (Vec<Command>, Vec<oneshot::Sender<Result<Answer, Failure>>>);

/// What is proposed together: `first`, and what waits behind it.
fn gather(first: Job, jobs: &mut mpsc::UnboundedReceiver<Job>) -> Gathered {
    let (mut commands, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut next = Some(first);
    while let Some(job) = next {
        bytes += job.command.size();
        commands.push(job.command);
        replies.push(job.reply);
        next = if commands.len() < LARGEST && bytes < LONGEST { jobs.try_recv().ok() } else { None };
    }
    (commands, replies)
}

fn fail(replies: Vec<oneshot::Sender<Result<Answer, Failure>>>, failure: &Failure) {
    for reply in replies {
        let _ = reply.send(Err(failure.clone()));
    }
}

fn stopped() -> Failure {
    Failure::Unknown("this member stopped, or lost its lead".to_owned())
}
