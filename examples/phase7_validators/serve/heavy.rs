use std::future::poll_fn;
use std::pin::pin;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// The bytes from which a request keeps guards busy for so long that others should not wait for it.
const HEAVY: usize = 64 << 10;

/// Waits for `work` on a request of so many bytes. Guards compute where they are polled: while a long request is read, the other tasks of the
/// thread go elsewhere.
pub(super) async fn heavy<T>(bytes: usize, work: impl Future<Output = T>) -> T {
    let moves = bytes >= HEAVY && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    let mut work = pin!(work);
    poll_fn(|context| if moves { block_in_place(|| work.as_mut().poll(context)) } else { work.as_mut().poll(context) }).await
}
