//! Where each record lies: the keys of rows. Their first byte is the kind of record; numbers are big-endian, so that they are in order.

use crate::{
    LeaseId, Revision, SessionId,
    namespace::{escape, unescape},
};

const STATE: u8 = 1;
const VERSION: u8 = 2;
const CHANGE: u8 = 3;
const LEASE: u8 = 4;
const LEASE_KEY: u8 = 5;
const SESSION: u8 = 6;
const SESSION_USE: u8 = 7;

/// The one row of the store as a whole.
pub(crate) const STATE_ROW: &[u8] = &[STATE];

/// A row's key, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowKey {
    State,
    Version { key: Vec<u8>, revision: Revision },
    Change { revision: Revision, sub: u32 },
    Lease(LeaseId),
    LeaseKey { lease: LeaseId, key: Vec<u8> },
    Session(SessionId),
    SessionUse(u64),
}

/// The version of `key` that `revision` made. Versions of one key lie side by side, the newest first.
pub(crate) fn version(key: &[u8], revision: Revision) -> Vec<u8> {
    let mut row = first_version(key);
    row.extend((!revision.0).to_be_bytes());
    row
}

/// Below every version of `key` and of the keys after it, above those of the keys before it.
pub(crate) fn first_version(key: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(key.len() + 11);
    row.push(VERSION);
    escape(key, &mut row);
    row
}

/// Above every version.
pub(crate) const VERSIONS_END: &[u8] = &[VERSION + 1];

/// Above every version of `key`, below those of the keys after it.
pub(crate) fn last_version(key: &[u8]) -> Vec<u8> {
    let mut row = first_version(key);
    *row.last_mut().expect("an escaped key has a terminator") += 1;
    row
}

/// The `sub`th change of `revision`.
pub(crate) fn change(revision: Revision, sub: u32) -> Vec<u8> {
    let mut row = vec![CHANGE];
    row.extend(revision.0.to_be_bytes());
    row.extend(sub.to_be_bytes());
    row
}

/// Below every change.
pub(crate) const CHANGES: &[u8] = &[CHANGE];
/// Above every change.
pub(crate) const CHANGES_END: &[u8] = &[CHANGE + 1];

pub(crate) fn lease(id: LeaseId) -> Vec<u8> {
    numbered(LEASE, id.0)
}

/// Below and above every lease.
pub(crate) const LEASES: (&[u8], &[u8]) = (&[LEASE], &[LEASE + 1]);

/// That `key` ends with a lease.
pub(crate) fn lease_key(id: LeaseId, key: &[u8]) -> Vec<u8> {
    let mut row = numbered(LEASE_KEY, id.0);
    row.extend(key);
    row
}

/// Below and above the keys of a lease.
pub(crate) fn lease_keys(id: LeaseId) -> (Vec<u8>, Vec<u8>) {
    (numbered(LEASE_KEY, id.0), id.0.checked_add(1).map_or_else(|| vec![LEASE_KEY + 1], |next| numbered(LEASE_KEY, next)))
}

pub(crate) fn session(id: SessionId) -> Vec<u8> {
    numbered(SESSION, id.0)
}

/// That a session was last used by the command of this index.
pub(crate) fn session_use(index: u64) -> Vec<u8> {
    numbered(SESSION_USE, index)
}

/// Below and above every use of a session.
pub(crate) const SESSION_USES: (&[u8], &[u8]) = (&[SESSION_USE], &[SESSION_USE + 1]);

/// What the row at `row` is for; `None` where no row has such a key.
pub(crate) fn parse(row: &[u8]) -> Option<RowKey> {
    let (&kind, rest) = row.split_first()?;
    let number = || Some(u64::from_be_bytes(rest.try_into().ok()?));
    Some(match kind {
        STATE if rest.is_empty() => RowKey::State,
        VERSION => {
            let mut rest = rest;
            let key = unescape(&mut rest)?;
            RowKey::Version { key, revision: Revision(!u64::from_be_bytes(rest.try_into().ok()?)) }
        }
        CHANGE => {
            let (revision, sub) = rest.split_first_chunk::<8>()?;
            RowKey::Change { revision: Revision(u64::from_be_bytes(*revision)), sub: u32::from_be_bytes(sub.try_into().ok()?) }
        }
        LEASE => RowKey::Lease(LeaseId(number()?)),
        LEASE_KEY => {
            let (id, key) = rest.split_first_chunk::<8>()?;
            RowKey::LeaseKey { lease: LeaseId(u64::from_be_bytes(*id)), key: key.to_vec() }
        }
        SESSION => RowKey::Session(SessionId(number()?)),
        SESSION_USE => RowKey::SessionUse(number()?),
        _ => return None,
    })
}

fn numbered(kind: u8, number: u64) -> Vec<u8> {
    let mut row = vec![kind];
    row.extend(number.to_be_bytes());
    row
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0), Just(1), Just(2), Just(0xfe), Just(0xff)], 0..5)
    }

    proptest! {
        #[test]
        fn versions_are_in_the_order_of_their_keys_and_the_newest_comes_first(
            a in key(), b in key(), at in any::<u64>(), other in any::<u64>(),
        ) {
            let by_row = version(&a, Revision(at)).cmp(&version(&b, Revision(other)));
            prop_assert_eq!(by_row, a.cmp(&b).then(other.cmp(&at)));
            prop_assert!(first_version(&a) <= version(&a, Revision(at)) && version(&a, Revision(at)) < last_version(&a));
            if a < b {
                prop_assert!(last_version(&a) <= first_version(&b));
            }
        }

        #[test]
        fn rows_are_taken_apart_into_what_they_were_made_of(key in key(), number in any::<u64>(), sub in any::<u32>()) {
            let (revision, lease_id) = (Revision(number), LeaseId(number));
            prop_assert_eq!(parse(&version(&key, revision)), Some(RowKey::Version { key: key.clone(), revision }));
            prop_assert_eq!(parse(&change(revision, sub)), Some(RowKey::Change { revision, sub }));
            prop_assert_eq!(parse(&lease_key(lease_id, &key)), Some(RowKey::LeaseKey { lease: lease_id, key: key.clone() }));
            prop_assert_eq!(parse(&session(SessionId(number))), Some(RowKey::Session(SessionId(number))));
            let (from, to) = lease_keys(lease_id);
            prop_assert!(from <= lease_key(lease_id, &key) && lease_key(lease_id, &key) < to);
        }

        #[test]
        fn only_one_row_key_stands_for_each_thing(row in vec(prop_oneof![0_u8..9, Just(0xff)], 0..16)) {
            let again = match parse(&row) {
                None => return Ok(()),
                Some(RowKey::State) => STATE_ROW.to_vec(),
                Some(RowKey::Version { key, revision }) => version(&key, revision),
                Some(RowKey::Change { revision, sub }) => change(revision, sub),
                Some(RowKey::Lease(id)) => lease(id),
                Some(RowKey::LeaseKey { lease, key }) => lease_key(lease, &key),
                Some(RowKey::Session(id)) => session(id),
                Some(RowKey::SessionUse(index)) => session_use(index),
            };
            prop_assert_eq!(again, row);
        }
    }
}
