//! All is well again: what must be so then.

use std::{sync::Arc, time::Duration};

use jarre_kv_store::{Error, KeyRange, RaftStatus, RangeRequest, ReadLevel, Refusal, Revision, Store};

use crate::{clients::follow, histories::caller::encode, members::Group, node::Standing, world::World};

/// When all must be well again, in milliseconds.
pub(crate) const LATEST: u64 = 120_000;

/// How long a watch that tells the whole history waits for more.
const QUIET: Duration = Duration::from_millis(300);

/// The last entry of a member's log and the last that it has carried out; and its digest.
type CarriedOut = ([Option<u64>; 2], Option<[u8; 32]>);

impl World {
    /// Somebody leads, everybody serves, all are the same, and the history is told whole.
    pub(crate) fn settle(&mut self) {
        let settled =
            self.all_serve().and_then(|()| self.agree_on_members()).and_then(|()| self.converge()).and_then(|()| self.tell_history());
        if let Err(problem) = settled {
            self.group.problems.push(problem);
        }
    }

    fn all_serve(&mut self) -> Result<(), String> {
        for at in self.group.sound() {
            let served = self.eventually(at, LATEST, Duration::from_secs(20), |cluster| {
                Box::pin(async move {
                    for number in 0..10_u64 {
                        cluster.put(b"alive", &encode(number)).await?;
                        cluster.get(b"alive").await?;
                    }
                    Ok(())
                })
            });
            let how = || format!("member {at} does not serve though all is well: {:?}; {}", self.refused, self.group.describe());
            served.ok_or_else(how)?;
        }
        Ok(())
    }

    /// Waits until all sound members have carried out the same.
    fn converge(&mut self) -> Result<(), String> {
        while self.now() < LATEST {
            self.pass(200);
            let found: Vec<_> = self.group.sound().into_iter().map(|at| self.carried_out(at)).collect();
            let ends: Vec<_> = found.iter().flatten().map(|(ends, _)| *ends).collect();
            let same = ends.len() == found.len()
                && ends.windows(2).all(|pair| pair[0] == pair[1])
                && ends.iter().all(|[last, applied]| last == applied);
            if same {
                let digests: Vec<_> = found.iter().flatten().map(|(_, digest)| *digest).collect();
                let differ = digests.windows(2).any(|pair| pair[0] != pair[1]) || digests.contains(&None);
                return if differ { Err(format!("members that carried out the same differ: {digests:?}")) } else { Ok(()) };
            }
        }
        Err(format!("members do not come together though all is well: {}", self.group.describe()))
    }

    /// Those who belong to the cluster vote, whether they are there or not, and nobody else; and everybody comes to know that.
    fn agree_on_members(&mut self) -> Result<(), String> {
        let belong = self.group.those(|standing| matches!(standing, Standing::Member | Standing::Lost));
        let mut expected: Vec<u64> = belong.into_iter().map(|at| self.group.nodes[at].id).collect();
        expected.sort_unstable();
        let knows = |status: RaftStatus| status.voters == expected && status.learners.is_empty() && !status.is_changing;
        let agree = |group: &Group| group.sound().into_iter().all(|at| group.status(at).is_some_and(knows));
        if self.until(LATEST.saturating_sub(self.now()), agree) {
            return Ok(());
        }
        let found: Vec<_> = self.group.sound().into_iter().filter_map(|at| self.group.status(at)).collect();
        Err(format!("{expected:?} are to vote, and all be done: {found:?}"))
    }

    /// What a member has carried out.
    fn carried_out(&self, at: usize) -> Option<CarriedOut> {
        let cluster = self.group.at(at)?;
        self.group.simulation.on(at, || {
            let [last, applied, _] = cluster.log_indices();
            ([last, applied], cluster.verify().ok().map(|verified| verified.digest))
        })
    }

    /// Takes what a watch tells, from the beginning where that is still there: what was told must be told again.
    fn tell_history(&mut self) -> Result<(), String> {
        let Some(&at) = self.group.sound().first() else { return Ok(()) };
        let alive = RangeRequest::new(KeyRange::key("alive")).with_level(ReadLevel::Linearizable);
        let page = self.eventually(at, LATEST, Duration::from_secs(20), |cluster| Box::pin(async move { cluster.range(alive).await }));
        let revision = page.map(|page| page.revision).ok_or("nothing can be read")?;
        let known = self.record.lock().journal.keys().next_back().map_or(Revision(2), |last| last.next());
        let whole = self.eventually(at, LATEST, Duration::from_secs(40), move |cluster| {
            Box::pin(async move {
                match follow(Revision(2), QUIET)(Arc::clone(&cluster)).await {
                    Err(Error::Refused(Refusal::Compacted { at })) => {
                        let from = known.max(at.next());
                        Ok((from, at, follow(from, QUIET)(cluster).await?))
                    }
                    done => Ok((Revision(2), Revision::ZERO, done?)),
                }
            })
        });
        let (from, compacted, batches) = whole.ok_or("the history is not told")?;
        let mut seen = self.record.lock();
        seen.compacted = seen.compacted.max(compacted);
        let next = seen.follow(from, batches);
        if next > revision { Ok(()) } else { Err(format!("the history was told up to {next} alone, and the store was at {revision}")) }
    }
}
