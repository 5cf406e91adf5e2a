use crate::Revision;

/// How a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The sort of store: `memory`, `embedded`.
    pub kind: &'static str,
    /// Where it is.
    pub revision: Revision,
    /// The last revision that was compacted; [`Revision::ZERO`] before the first time.
    pub compacted: Revision,
    /// How many commands it has carried out.
    pub applied: u64,
    /// Keys that exist.
    pub keys: u64,
    /// Leases that have not ended.
    pub leases: usize,
    /// Bytes on disk, or of keys and values in memory; `None` where that is not known.
    pub bytes: Option<u64>,
    /// The name of the leader, as far as is known; `None` also where nobody has to lead.
    pub leader: Option<String>,
}
