//! How rank 0 hears whether the others could do what it sent.

use jarre_transformer::collective::Communicator;

use super::message::share;
use crate::{Error, Result};

/// Tells what was wrong, if anything.
pub(super) fn answer<T>(communicator: &mut Communicator, done: &Result<T>) -> Result<()> {
    let complaint = done.as_ref().err().map_or_else(String::new, ToString::to_string);
    share(communicator, &complaint.chars().map(u32::from).collect::<Vec<_>>()).map(drop)
}

/// Waits until every other worker has [answered](answer); the first complaint of one is the inner error.
pub(super) fn hear(communicator: &mut Communicator) -> Result<Result<()>> {
    for (rank, complaint) in share(communicator, &[])?.into_iter().enumerate() {
        if !complaint.is_empty() {
            let complaint: String = complaint.into_iter().filter_map(char::from_u32).collect();
            return Ok(Err(Error::Engine(format!("rank {rank} cannot take its part: {complaint}"))));
        }
    }
    Ok(Ok(()))
}
