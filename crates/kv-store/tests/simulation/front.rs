use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_core::BoxFuture;
use jarre_kv_store::{Cluster, Error, Result, testing::nemesis::Dice};
use tokio::sync::{mpsc, oneshot};

/// What a member is to do for somebody who is on its host.
pub(crate) type Job = Box<dyn FnOnce(Arc<Cluster>) + Send>;

/// How clients reach members: each has a mailbox as long as it runs.
#[derive(Clone, Default)]
pub(crate) struct Front(Arc<Mutex<Vec<Option<mpsc::UnboundedSender<Job>>>>>);

impl Front {
    pub(crate) fn of(members: usize) -> Self {
        Self(Arc::new(Mutex::new(vec![None; members])))
    }

    pub(crate) fn open(&self, member: usize) -> mpsc::UnboundedReceiver<Job> {
        let (sender, jobs) = mpsc::unbounded_channel();
        self.0.lock().unwrap()[member] = Some(sender);
        jobs
    }

    pub(crate) fn close(&self, member: usize) {
        self.0.lock().unwrap()[member] = None;
    }

    /// One of the members that run, or whichever where none does.
    pub(crate) fn pick(&self, dice: &mut Dice) -> usize {
        let members = self.0.lock().unwrap();
        let running: Vec<usize> = (0..members.len()).filter(|at| members[*at].is_some()).collect();
        running.get(dice.below(running.len() as u64) as usize).copied().unwrap_or_else(|| dice.below(members.len() as u64) as usize)
    }

    /// What `call` gives at a member. Nothing was done where the member does not run; nobody knows where it ends meanwhile or is silent.
    pub(crate) async fn call<T, F>(&self, member: usize, limit: Duration, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Cluster>) -> BoxFuture<'static, Result<T>> + Send + 'static,
    {
        let mailbox = self.0.lock().unwrap()[member].clone();
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |cluster| {
            tokio::spawn(async move { drop(reply.send(call(cluster).await)) });
        });
        let sent = mailbox.is_some_and(|mailbox| mailbox.send(job).is_ok());
        if !sent {
            return Err(Error::NoQuorum);
        }
        let unknown = |reason: &str| Error::Unknown { reason: reason.to_owned() };
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(unknown("the member ended")),
            Err(_) => Err(unknown("the member is silent")),
        }
    }
}
