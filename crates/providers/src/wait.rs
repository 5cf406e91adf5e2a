use std::time::Duration;

use jarre_core::{Clock, Error, ErrorKind, Result, Timestamp};

/// `future`, for at most `most` and until `deadline`; `what` is what it is that takes so long.
///
/// # Errors
/// [`ErrorKind::Timeout`] where that is over first.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    deadline: Option<Timestamp>,
    most: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> Result<T> {
    let left = deadline.map(|deadline| deadline.since(clock.timestamp()));
    let limit = left.map_or(most, |left| left.min(most));
    tokio::time::timeout(limit, future).await.map_err(|_| match left {
        Some(left) if left <= most => passed(),
        _ => Error::new(ErrorKind::Timeout, format!("{what} took longer than {} s", most.as_secs_f64())),
    })
}

/// The failure of a request whose deadline is over.
pub(crate) fn passed() -> Error {
    Error::new(ErrorKind::Timeout, "the deadline of the request has passed")
}
