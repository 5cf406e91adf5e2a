use std::time::Duration;

use etcd_client::LeaseTimeToLiveOptions;

use super::{
    caller::Caller,
    failure::{Failure, Kind},
    keys,
};
use crate::{Error, Lease, LeaseId, Refusal, Result, Revision};

/// The longest that etcd grants, in seconds.
const LONGEST: u64 = 9_000_000_000;

impl Caller {
    pub(super) async fn lease_grant(&self, ttl: Duration) -> Result<LeaseId> {
        let seconds = whole_seconds(ttl)?;
        let granted = self.call(Kind::Change, || {
            let mut leases = self.client.lease_client();
            async move { leases.grant(seconds, None).await }
        });
        let granted = granted.await.map_err(|failure| failure.told(Kind::Change, Revision::ZERO))?;
        keys::lease(granted.id()).ok_or_else(super::txn::strange)
    }

    pub(super) async fn lease_keep_alive(&self, id: LeaseId) -> Result<Duration> {
        // Doing it twice does no harm, so that nothing is unknown afterwards that matters.
        let kept = self.call(Kind::Read, || {
            let mut leases = self.client.lease_client();
            async move {
                let (mut keeper, mut answers) = leases.keep_alive(keys::lease_number(id)).await?;
                // The client keeps the first answer to itself, and the TTL with it.
                keeper.keep_alive().await?;
                let lost = || etcd_client::Error::WatchError("the stream ended".to_owned());
                Ok(answers.message().await?.ok_or_else(lost)?.ttl())
            }
        });
        seconds(id, kept.await.map_err(|failure| told(failure, Kind::Read, id))?)
    }

    pub(super) async fn lease_revoke(&self, id: LeaseId) -> Result<()> {
        let revoked = self.call(Kind::Change, || {
            let mut leases = self.client.lease_client();
            async move { leases.revoke(keys::lease_number(id)).await }
        });
        revoked.await.map(drop).map_err(|failure| told(failure, Kind::Change, id))
    }

    pub(super) async fn lease(&self, id: LeaseId) -> Result<Lease> {
        let found = self.call(Kind::Read, || {
            let mut leases = self.client.lease_client();
            async move { leases.time_to_live(keys::lease_number(id), Some(LeaseTimeToLiveOptions::new().with_keys())).await }
        });
        let found = found.await.map_err(|failure| told(failure, Kind::Read, id))?;
        // etcd's own way to say that there is none.
        let (ttl, remaining) = if found.ttl() < 0 { return Err(none(id)) } else { (found.granted_ttl(), found.ttl()) };
        let mut keys: Vec<_> = found.keys().iter().filter_map(|key| self.keys.strip(key)).collect();
        keys.sort();
        Ok(Lease { id, ttl: seconds(id, ttl)?, remaining: Duration::from_secs(remaining.unsigned_abs()), keys })
    }

    /// Leases of the whole cluster.
    pub(super) async fn leases(&self) -> Result<usize> {
        let found = self.call(Kind::Read, || {
            let mut leases = self.client.lease_client();
            async move { leases.leases().await }
        });
        Ok(found.await.map_err(|failure| failure.told(Kind::Read, Revision::ZERO))?.leases().len())
    }
}

/// A TTL as etcd counts it: never less than what was asked for.
pub(super) fn whole_seconds(ttl: Duration) -> Result<i64> {
    let seconds = ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0));
    match seconds {
        0 => Err(Error::Invalid("a lease of no time".into())),
        1..=LONGEST => Ok(seconds as i64),
        _ => Err(Error::Invalid("a lease of more than 9,000,000,000 seconds, the most that etcd grants".into())),
    }
}

fn seconds(id: LeaseId, seconds: i64) -> Result<Duration> {
    if seconds > 0 { Ok(Duration::from_secs(seconds.unsigned_abs())) } else { Err(none(id)) }
}

fn told(failure: Failure, kind: Kind, id: LeaseId) -> Error {
    if matches!(failure, Failure::NoLease) { none(id) } else { failure.told(kind, Revision::ZERO) }
}

fn none(id: LeaseId) -> Error {
    Refusal::NoLease { id }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_in_seconds_is_never_shorter_than_asked_for() {
        for (ttl, expected) in [(Duration::from_nanos(1), 1), (Duration::from_secs(1), 1), (Duration::from_millis(1001), 2)] {
            assert_eq!(whole_seconds(ttl).expect("a lease"), expected);
        }
        assert!(whole_seconds(Duration::ZERO).is_err() && whole_seconds(Duration::MAX).is_err());
    }
}
