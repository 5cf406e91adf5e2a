//! A network that works one way.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use jarre_core::BoxFuture;
use jarre_kv_store::{
    Store,
    cluster::{Listener, Stream, Tcp, Transport},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::group::{Group, soon};

/// TCP over which nothing is heard while it is deaf.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ears {
    deaf: Arc<AtomicBool>,
}

struct Heard {
    stream: Box<dyn Stream>,
    ears: Ears,
    nap: Option<Pin<Box<Sleep>>>,
}

struct Hearing {
    listener: Box<dyn Listener>,
    ears: Ears,
}

impl Ears {
    fn over(&self, stream: Box<dyn Stream>) -> Box<dyn Stream> {
        Box::new(Heard { stream, ears: self.clone(), nap: None })
    }
}

impl Transport for Ears {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move { Ok(self.over(Tcp.connect(address).await?)) })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move { Ok(Box::new(Hearing { listener: Tcp.listen(address).await?, ears: self.clone() }) as Box<dyn Listener>) })
    }
}

impl Listener for Hearing {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move { Ok(self.ears.over(self.listener.accept().await?)) })
    }

    fn local_address(&self) -> io::Result<String> {
        self.listener.local_address()
    }
}

impl AsyncRead for Heard {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.ears.deaf.load(SeqCst) {
            let nap = self.nap.get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(5))));
            if nap.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.nap = None;
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_heard_and_hears_nobody_is_replaced() {
    let mut group = Group::of(3);
    group.start_all().await;
    let leader = group.leader().await;
    group.put(leader, "before", "1").await;
    group.ears[leader].deaf.store(true, SeqCst);
    let others: Vec<_> = (0..3).filter(|at| *at != leader).collect();
    soon("another one leads", || others.iter().any(|at| group.at(*at).leadership().2)).await;
    group.put(others[0], "during", "2").await;
    group.ears[leader].deaf.store(false, SeqCst);
    soon("the old one follows", || !group.at(leader).leadership().2).await;
    assert!(group.at(leader).get(b"during").await.unwrap().is_some());
    group.converge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_followers_come_back_goes_on() {
    let mut group = Group::started(2).await;
    let leader = group.leader().await;
    group.stop(1 - leader).await;
    // Entries that the other one has not, so that it cannot lead.
    assert!(group.at(leader).put(b"alone", b"1").await.is_err());
    tokio::time::sleep(Duration::from_secs(2)).await;
    group.start(1 - leader).await.unwrap();
    group.put(leader, "together", "2").await;
    group.converge().await;
}
