use crate::{Entry, Error, KeyRange, LeaseId, Result, Revision, SessionId};

/// Where a store lies among the keys of an etcd cluster.
///
/// The key that is the prefix alone belongs to no key of the store, whose keys are not empty: it is the marker that watches are told their
/// progress by.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: Vec<u8>,
    /// Behind every key with the prefix, as etcd writes it: a zero byte where nothing is behind.
    end: Vec<u8>,
}

/// A range as etcd writes it.
pub(super) type Bounds = (Vec<u8>, Vec<u8>);

impl Keys {
    pub(super) fn new(prefix: Vec<u8>) -> Result<Self> {
        if prefix.first().is_none_or(|first| *first == 0) {
            return Err(Error::Invalid("a prefix in etcd is not empty and does not begin with a zero byte".into()));
        }
        let end = KeyRange::prefix(prefix.clone()).end.unwrap_or_else(|| vec![0]);
        Ok(Self { prefix, end })
    }

    pub(super) fn key(&self, key: &[u8]) -> Vec<u8> {
        [&self.prefix, key].concat()
    }

    /// The key that is written where a watch wants to know how far it is.
    pub(super) fn marker(&self) -> Vec<u8> {
        self.prefix.clone()
    }

    /// Every key of the store, and the marker.
    pub(super) fn all(&self) -> Bounds {
        (self.prefix.clone(), self.end.clone())
    }

    /// The keys of `range`; `None` where there can be none.
    pub(super) fn bounds(&self, range: &KeyRange) -> Option<Bounds> {
        let start = if range.start.is_empty() { self.key(&[0]) } else { self.key(&range.start) };
        let Some(end) = &range.end else { return Some((start, self.end.clone())) };
        let end = self.key(end);
        (start < end).then_some((start, end))
    }

    /// What `key` is called in the store; `None` where it is none of its keys.
    pub(super) fn strip(&self, key: &[u8]) -> Option<Vec<u8>> {
        key.strip_prefix(&*self.prefix).filter(|key| !key.is_empty()).map(<[u8]>::to_vec)
    }

    /// Where a session's record lies.
    pub(super) fn session(&self, id: SessionId) -> Vec<u8> {
        [b"\0jarre-kv/session/", &*self.prefix, format!("/{:016x}", id.0).as_bytes()].concat()
    }

    /// What etcd says of a key of the store.
    pub(super) fn entry(&self, found: etcd_client::KeyValue) -> Option<Entry> {
        let (create_revision, mod_revision) = (revision(found.create_revision()), revision(found.mod_revision()));
        let (version, lease) = (found.version().unsigned_abs(), lease(found.lease()));
        let (key, value) = found.into_key_value();
        Some(Entry { key: self.strip(&key)?, value, create_revision, mod_revision, version, lease })
    }
}

/// A revision as etcd counts it, which is never negative.
pub(super) fn revision(number: i64) -> Revision {
    Revision(number.max(0).unsigned_abs())
}

/// A revision as etcd reads it; what is beyond its numbers is in its future.
pub(super) fn number(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

/// The lease of this number, where there is one.
pub(super) fn lease(number: i64) -> Option<LeaseId> {
    (number != 0).then(|| LeaseId(u64::from_ne_bytes(number.to_ne_bytes())))
}

/// A lease as etcd reads it. To etcd zero is no lease at all, so that it becomes one that never is.
pub(super) fn lease_number(id: LeaseId) -> i64 {
    if id.0 == 0 { i64::MIN } else { i64::from_ne_bytes(id.0.to_ne_bytes()) }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0), Just(1), Just(b'a'), Just(0xfe), Just(0xff)], 0..4)
    }

    fn within(key: &[u8], (start, end): &Bounds) -> bool {
        **start <= *key && (**end == [0] || *key < **end)
    }

    proptest! {
        #[test]
        fn a_range_in_etcd_holds_the_keys_of_the_range_and_no_others(
            prefix in bytes(), start in bytes(), end in proptest::option::of(bytes()), key in bytes(),
        ) {
            let Ok(keys) = Keys::new(prefix.clone()) else { return Ok(()) };
            let range = KeyRange { start, end };
            let inside = |key: &[u8]| keys.bounds(&range).is_some_and(|bounds| within(key, &bounds));
            prop_assert_eq!(inside(&keys.key(&key)), range.contains(&key) && !key.is_empty());
            prop_assert!(!inside(&keys.marker()), "the marker is in no range");
            prop_assert!(!inside(&keys.session(SessionId(7))) && !within(&keys.session(SessionId(7)), &keys.all()));
            prop_assert_eq!(inside(&key), keys.strip(&key).is_some_and(|name| range.contains(&name)), "nor is anything of others");
            prop_assert!(within(&keys.key(&key), &keys.all()));
        }
    }

    #[test]
    fn a_prefix_that_could_hold_sessions_is_refused() {
        assert!(Keys::new(Vec::new()).is_err() && Keys::new(b"\0a".to_vec()).is_err());
    }

    #[test]
    fn leases_keep_their_numbers() {
        for id in [1, 7, u64::MAX, 1 << 63, (1 << 63) - 1] {
            assert_eq!(lease(lease_number(LeaseId(id))), Some(LeaseId(id)));
        }
        assert_eq!(lease(0), None);
        assert_ne!(lease_number(LeaseId(0)), 0, "which would put a key on no lease");
    }
}
