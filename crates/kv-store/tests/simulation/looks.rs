//! What must be so of members at any time.

use jarre_kv_store::{Error, Verified};

use crate::{
    members::Group,
    node::{Failing, Standing},
};

/// How often a term must be seen until it is sure to be on disk: twenty milliseconds each, and a sync takes up to 58.
const LOOKS: u64 = 4;

impl Group {
    /// Holds members to what must be so at any time.
    pub(crate) fn look(&mut self, with_digests: bool) {
        for at in 0..self.nodes.len() {
            let Some(cluster) = self.at(at) else { continue };
            // Of a member that is down the end may be torn, and is cut off when it starts.
            if with_digests {
                self.nodes[at].earlier = self.nodes[at].end_of_log();
            }
            let seen = self.simulation.on(at, || (cluster.voted_in(), cluster.log_indices(), with_digests.then(|| cluster.verify())));
            drop(cluster);
            self.look_who_leads(at);
            let Some((term, [last, applied, _], verified)) = seen else { continue };
            self.look_at(at, term, last, applied);
            match verified {
                Some(Ok(verified)) => self.compare(at, verified),
                Some(Err(error)) if !matches!(error, Error::Closed | Error::Poisoned { .. }) => {
                    self.problems.push(format!("member {at} is damaged: {error}"));
                }
                _ => {}
            }
        }
    }

    /// Who was removed may believe to lead as before, and leads in no later term.
    fn look_who_leads(&mut self, at: usize) {
        let Standing::Removed { in_term } = self.nodes[at].standing else { return };
        if let Some(status) = self.status(at).filter(|status| status.is_leader && status.term > in_term) {
            let (now, id) = (self.simulation.now(), self.nodes[at].id);
            self.problems.push(format!("at {now} member {id} leads in term {}, and was removed in term {in_term}", status.term));
            self.nodes[at].standing = Standing::Removed { in_term: status.term };
        }
    }

    pub(crate) fn look_at(&mut self, at: usize, term: u64, last: Option<u64>, applied: Option<u64>) {
        let now = self.simulation.now();
        let node = &mut self.nodes[at];
        if node.was_wiped {
            if last.is_some() {
                self.problems.push(format!("at {now} member {at}, which lost its folder, was given entries"));
                node.was_wiped = false;
            }
            return;
        }
        if node.failing == Some(Failing::Log) {
            return;
        }
        if term > node.rising.0 {
            self.story.push(format!("{now}: {at} is in term {term}"));
        }
        // Nothing is known of it before it has read its log.
        if term > 0 && term < node.term {
            self.problems.push(format!("at {now} the term of member {at} went from {} back to {term}", node.term));
            node.term = term;
        }
        if let (Some(last), Some(applied)) = (last, node.applied)
            && last < applied
        {
            self.problems.push(format!("at {now} the log of member {at} ends at {last}, and {applied} was carried out"));
        }
        if applied < node.applied_now {
            self.problems.push(format!("at {now} member {at} went from {:?} back to {applied:?}", node.applied_now));
        }
        node.rising = if node.rising.0 == term { (term, node.rising.1 + 1) } else { (term, 0) };
        if node.rising.1 > LOOKS {
            node.term = node.term.max(term);
        }
        (node.applied_now, node.applied) = (applied, node.applied.max(applied));
    }

    /// By what the state itself says that it has carried out: what a member tells of itself may lag behind.
    fn compare(&mut self, at: usize, Verified { applied, digest, .. }: Verified) {
        if *self.digests.entry(applied).or_insert(digest) != digest {
            self.problems.push(format!("member {at} has carried out {applied} commands and differs from another"));
        }
    }
}
