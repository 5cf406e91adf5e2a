use std::{collections::BTreeSet, sync::Arc, time::Duration};

use openraft::ChangeMembers;
use tokio::time::{Instant, timeout};

use super::{consensus::Metrics, replica::Replica};

/// A change of members has two steps, after the first of which those before and those after must both agree. openraft takes the second for
/// whoever asked for the first, who may have gone meanwhile, or not have waited: then whoever leads has to.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// The entry of the first step, and since when nothing has become of it.
    seen: Option<(Option<u64>, Instant)>,
}

impl Unfinished {
    /// Whether to take the second step, `patience` after the first was seen and each time that the step failed.
    pub(super) fn look(&mut self, metrics: &Metrics, leads: bool, patience: Duration) -> bool {
        #[cfg(feature = "mutants")]
        let leads = leads && !crate::mutants::Mutant::ChangeLeftUnfinished.is_in();
        let members = &metrics.membership_config;
        if !leads || members.membership().get_joint_config().len() < 2 {
            self.seen = None;
            return false;
        }
        let index = members.log_id().map(|id| id.index);
        let since = self.seen.filter(|(seen, _)| *seen == index).map(|(_, since)| since);
        let is_due = since.is_some_and(|since| since.elapsed() >= patience);
        if is_due || since.is_none() {
            self.seen = Some((index, Instant::now()));
        }
        is_due
    }
}

/// Takes the second step, if that is what is missing, or lets one lead who does not go by it.
pub(super) async fn finish(replica: Arc<Replica>, limit: Duration) {
    if !replica.stays() {
        // It is tried again.
        let _ = replica.hand_over(Instant::now() + limit).await;
        return;
    }
    let change = ChangeMembers::AddVoterIds(BTreeSet::new());
    match timeout(limit, replica.raft.change_membership(change, false)).await {
        Ok(Ok(_)) => tracing::info!("a change of members that nobody finished is finished"),
        // It is tried again.
        Ok(Err(error)) => tracing::warn!(%error, "a change of members is not finished"),
        Err(_) => tracing::warn!("a change of members is not finished in time"),
    }
}
