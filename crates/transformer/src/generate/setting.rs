use std::{fmt::Display, ops::RangeBounds};

use crate::error::{Error, Result};

/// `value`, where it lies in `range`, which `allowed` says in words; NaN lies in none.
pub(super) fn within<T: PartialOrd + Display>(
    name: &'static str,
    value: T,
    range: impl RangeBounds<T>,
    allowed: &'static str,
) -> Result<T> {
    if range.contains(&value) { Ok(value) } else { Err(refused(name, value, allowed)) }
}

/// The error of a setting that is not `allowed`.
pub(super) fn refused(name: &'static str, value: impl Display, allowed: &'static str) -> Error {
    Error::setting(name, value, allowed)
}

/// `id`, where a vocabulary of `vocab_size` has it.
pub(super) fn known(id: u32, vocab_size: usize) -> Result<u32> {
    if (id as usize) < vocab_size { Ok(id) } else { Err(Error::UnknownToken { id, vocab_size }) }
}
