use std::{io, thread};

use tokio::{runtime::Handle, sync::oneshot};

use crate::{Error, Result};

/// A thread that drives connections, whatever runtime callers have, or none. It ends by itself some time after this was dropped, so that a
/// drop never blocks.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: Handle,
    /// Ends the thread by being dropped.
    _alive: oneshot::Sender<()>,
}

impl Runtime {
    pub(super) fn start() -> Result<Self> {
        let cannot = |error: io::Error| Error::io("start a thread for etcd", error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let (handle, (alive, dropped)) = (runtime.handle().clone(), oneshot::channel::<()>());
        let drive = move || {
            // Nothing is ever sent.
            let _ = runtime.block_on(dropped);
        };
        thread::Builder::new().name("kv-etcd".to_owned()).spawn(drive).map_err(cannot)?;
        Ok(Self { handle, _alive: alive })
    }

    /// Carries out `work` on the thread, to its end even where the caller goes away.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        self.handle.spawn(work).await.map_err(|_| Error::Closed)?
    }
}
