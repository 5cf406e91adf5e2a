use std::{fmt, io, sync::Arc};

use jarre_core::BoxFuture;
use jarre_kv_store::cluster::{Listener, Stream, Tcp, Transport};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split},
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::links::Links;

/// Bytes that one direction of a connection takes on before the other end has them.
const WINDOW: usize = 1 << 16;
/// Pieces that may be under way on a slow link.
const PIECES: usize = 4096;

/// TCP whose messages [`Links`] hold back. Whoever opens a connection has both directions of it pass through here.
pub(super) struct Held {
    pub(super) node: usize,
    /// Where each member listens.
    pub(super) addresses: Vec<String>,
    pub(super) links: Arc<Links>,
}

impl Transport for Held {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let to = self.addresses.iter().position(|known| known == address);
            let to = to.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no member listens there"))?;
            if self.links.is_severed(self.node, to) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            // To open a connection both must hear each other.
            self.links.heard(self.node, to).await;
            self.links.heard(to, self.node).await;
            let (read, write) = split(Tcp.connect(address).await?);
            let (ours, theirs) = duplex(WINDOW);
            let (from_us, to_us) = split(theirs);
            tokio::spawn(carry(from_us, write, Arc::clone(&self.links), (self.node, to)));
            tokio::spawn(carry(read, to_us, Arc::clone(&self.links), (to, self.node)));
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Tcp.listen(address)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("node", &self.node).finish_non_exhaustive()
    }
}

/// Carries bytes from one member to another, as late as the link is slow, and not while it is cut.
async fn carry(
    mut read: impl AsyncRead + Unpin + Send + 'static,
    mut write: impl AsyncWrite + Unpin + Send + 'static,
    links: Arc<Links>,
    (from, to): (usize, usize),
) {
    let (queue, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let reading = async {
        let mut buffer = vec![0; WINDOW];
        while let Ok(count @ 1..) = read.read(&mut buffer).await {
            let at = Instant::now() + links.delay(from, to);
            if queue.send((at, buffer[..count].to_vec())).await.is_err() {
                break;
            }
        }
        // So that what comes behind the last piece is the end.
        drop(queue);
    };
    let writing = async {
        while let Some((at, bytes)) = due.recv().await {
            // The runtime's timer counts whole milliseconds: what is not late must not ask it.
            if at > Instant::now() {
                sleep_until(at).await;
            }
            links.heard(from, to).await;
            if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
                break;
            }
        }
        let _ = write.shutdown().await;
    };
    tokio::select! {
        biased;
        () = links.severed(from, to) => {}
        // Whoever reads no more ends the connection too.
        _ = async { tokio::join!(reading, writing) } => {}
    }
}
