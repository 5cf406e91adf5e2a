use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    thread,
};

use jarre_core::{Error, ErrorKind, Result};

use jarre_sandbox::Cancel;

use super::frame::lock;

struct Shared<T> {
    result: Option<Result<T>>,
    waker: Option<Waker>,
}

/// Does `work` on a thread of its own, so that the thread that polls is free meanwhile. Where the future is dropped, the work is told to stop.
pub(super) async fn offload<T: Send + 'static>(work: impl FnOnce(&Cancel) -> Result<T> + Send + 'static) -> Result<T> {
    let cancel = Cancel::new();
    let _dropped = CancelOnDrop(cancel.clone());
    let shared = Arc::new(Mutex::new(Shared { result: None, waker: None }));
    let finished = Finished(Arc::clone(&shared));
    let spawned = thread::Builder::new().name("jarre-tool".into()).spawn(move || finished.with(work(&cancel)));
    spawned.map_err(|error| Error::new(ErrorKind::Unavailable, "no thread could be started for the tool").with_source(error))?;
    poll_fn(|context| {
        let mut shared = lock(&shared);
        if let Some(result) = shared.result.take() {
            return Poll::Ready(result);
        }
        shared.waker = Some(context.waker().clone());
        Poll::Pending
    })
    .await
}

/// Setting the flag once the work has ended does nothing.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Wakes whoever waits when it is dropped, also where the work panicked.
struct Finished<T>(Arc<Mutex<Shared<T>>>);

impl<T> Finished<T> {
    fn with(self, result: Result<T>) {
        lock(&self.0).result = Some(result);
    }
}

impl<T> Drop for Finished<T> {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        shared.result.get_or_insert_with(|| Err(Error::new(ErrorKind::Internal, "the tool panicked")));
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    }
}

/// A tool whose work takes time, commands and walks: it is a method `run` over its arguments and a [`Cancel`], on a thread of its own.
macro_rules! implement_offloaded {
    ($tool:ident) => {
        $crate::tools::frame::implement_by!($tool, |tool, arguments, context| {
            let arguments: Arguments = tool.frame.arguments(&arguments)?;
            let (tool, key) = (tool.clone(), context.idempotency_key.clone());
            $crate::tools::offload::offload(move |cancel| tool.frame.once(&key, || tool.run(&arguments, cancel))).await
        });
    };
}

pub(super) use implement_offloaded;

/// What a tool returns whose call was dropped: nobody reads it.
pub(super) fn or_cancelled(cancel: &Cancel, output: jarre_core::ToolOutput) -> Result<jarre_core::ToolOutput> {
    if cancel.is_cancelled() { Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")) } else { Ok(output) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_waited_for_and_a_panic_is_an_error() {
        assert_eq!(pollster::block_on(offload(|_| Ok(7))).unwrap(), 7);
        let here = thread::current().id();
        assert_ne!(pollster::block_on(offload(move |_| Ok(thread::current().id()))).unwrap(), here);
        let error = pollster::block_on(offload(|_| -> Result<()> { panic!("on purpose") })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}
