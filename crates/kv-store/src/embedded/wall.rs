use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{Error, Result};

/// Does `work`, which reads pages that may be damaged: redb trusts what is inside a page, and panics where it cannot be right.
///
/// Nothing that was half changed by a panic is used again: who calls this gives up the transaction, and stops the store.
#[expect(clippy::disallowed_methods, reason = "a damaged page makes redb panic, and one bad page must not take its caller's process down")]
pub(crate) fn behind_a_wall<T>(place: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Error::corrupt(place, format!("reading it failed: {}", said(&*panic)))))
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}
