use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jarre_openai::ApiError;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets in as many requests as there are seats, and none once it is closed.
pub(super) struct Gate {
    seats: Arc<Semaphore>,
    count: u32,
    closed: AtomicBool,
    retry_after: Duration,
    taken: Gauge,
}

/// A request's right to be answered, held until its answer has ended.
pub(super) struct Seat {
    _permit: OwnedSemaphorePermit,
    taken: Gauge,
}

impl Gate {
    pub(super) fn new(seats: usize, retry_after: Duration, taken: Gauge) -> Self {
        let count = u32::try_from(seats.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX).max(1);
        Self { seats: Arc::new(Semaphore::new(count as usize)), count, closed: AtomicBool::new(false), retry_after, taken }
    }

    pub(super) fn enter(&self) -> Result<Seat, ApiError> {
        if self.is_closed() {
            return Err(ApiError::unavailable("the proxy is stopping; ask another one"));
        }
        let permit = Arc::clone(&self.seats).try_acquire_owned();
        let permit =
            permit.map_err(|_| ApiError::rate_limited("too many requests are being answered; try again later", self.retry_after))?;
        self.taken.inc();
        Ok(Seat { _permit: permit, taken: self.taken.clone() })
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) async fn all_left(&self) {
        // The semaphore is never closed.
        let _ = self.seats.acquire_many(self.count).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.taken.dec();
    }
}
