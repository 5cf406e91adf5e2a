use std::time::Duration;

use crate::LeaseId;

/// A promise that keys go away unless someone keeps it alive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// Its name.
    pub id: LeaseId,
    /// How long it lasts after it was granted or last kept alive.
    pub ttl: Duration,
    /// How much of that is left. A store that is opened again, or a new leader, starts at the whole.
    pub remaining: Duration,
    /// The keys that end with it, in order.
    pub keys: Vec<Vec<u8>>,
}
