//! What clients of a cluster ask and write down, and what must be so of it: of clusters in simulated time, and of processes.

pub(crate) mod bank;
pub(crate) mod caller;
pub(crate) mod checks;
pub(crate) mod lists;
pub(crate) mod record;
pub(crate) mod registers;
pub(crate) mod sets;
