//! Clusters whose members speak TLS.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_kv_store::{
    Cluster, ClusterOptions, Member, Store, Tls,
    cluster::{Tcp, TlsTransport, Transport},
    frame::Token,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::{addresses::free_address, authority::Authority};

const SOON: Duration = Duration::from_secs(20);
/// A value that is looked for on the wire.
const SECRET: &[u8] = b"nobody else is to read this";

fn member_tls(trusted: &Authority, own: &Authority) -> Arc<dyn Transport> {
    let (certificate, key) = own.issue(&["127.0.0.1"]);
    Arc::new(TlsTransport::new(&Tls::new(trusted.pem()).with_identity(certificate, key)).unwrap())
}

/// Members that are reached at `addresses`, and listen at the others.
struct Group {
    folder: TempDir,
    listen: Vec<String>,
    founders: Vec<Member>,
}

impl Group {
    fn new(reached: Vec<String>, listen: Vec<String>) -> Self {
        let founders = (1..).zip(reached).map(|(id, address)| Member::new(id, address)).collect();
        Self { folder: tempfile::tempdir().unwrap(), listen, founders }
    }

    fn of(count: usize) -> Self {
        let addresses: Vec<_> = (0..count).map(|_| free_address()).collect();
        Self::new(addresses.clone(), addresses)
    }

    async fn start(&self, at: usize, transport: Arc<dyn Transport>) -> Cluster {
        let Member { id, .. } = self.founders[at];
        let token = Token::new(b"a token of these tests alone").unwrap();
        let options = ClusterOptions::new(7, id, token, self.folder.path().join(id.to_string()))
            .with_listen(&self.listen[at])
            .with_transport(transport)
            .with_times(Duration::from_millis(50), Duration::from_millis(300))
            .with_request_timeout(Duration::from_secs(2))
            .founded_by(self.founders.clone());
        Cluster::start(options).await.unwrap()
    }
}

async fn put(store: &dyn Store, key: &[u8], value: &[u8]) {
    let began = Instant::now();
    while let Err(error) = store.put(key, value).await {
        assert!(error.is_retryable() && began.elapsed() < SOON, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_agree_over_tls_and_one_of_another_authority_does_not_take_part() {
    let (ours, strangers) = (Authority::new(), Authority::new());
    let group = Group::of(3);
    let first = group.start(0, member_tls(&ours, &ours)).await;
    let second = group.start(1, member_tls(&ours, &ours)).await;
    let third = group.start(2, member_tls(&ours, &ours)).await;
    put(&first, b"key", b"before").await;
    third.shutdown().await;
    drop(third);
    // It trusts the others, knows the token, and is a member.
    let stranger = group.start(2, member_tls(&ours, &strangers)).await;
    assert!(stranger.get(b"key").await.is_err(), "it is answered");
    let had = stranger.log_indices()[0];
    put(&first, b"key", SECRET).await;
    assert_eq!(second.get(b"key").await.unwrap().unwrap().value, SECRET);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stranger.log_indices()[0], had, "it was given entries");
    stranger.shutdown().await;
    drop(stranger);
    let third = group.start(2, member_tls(&ours, &ours)).await;
    let began = Instant::now();
    while third.get(b"key").await.ok().flatten().is_none_or(|entry| entry.value != SECRET) {
        assert!(began.elapsed() < SOON, "one that shows the right certificate takes part");
    }
    for member in [first, second, third] {
        member.shutdown().await;
    }
}

/// Passes connections on to `to`, and keeps what went over them, both ways.
async fn listening_in(to: String) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heard) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(Vec::new())));
    let hearing = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&to).await else { continue };
            let ((near_reads, near_writes), (far_reads, far_writes)) = (near.into_split(), far.into_split());
            tokio::spawn(pass_on(near_reads, far_writes, Arc::clone(&hearing)));
            tokio::spawn(pass_on(far_reads, near_writes, Arc::clone(&hearing)));
        }
    });
    (address, heard)
}

async fn pass_on(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, heard: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        heard.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// What somebody on the way between two members hears when [`SECRET`] is put.
async fn heard_over(transport: impl Fn() -> Arc<dyn Transport>) -> Vec<u8> {
    let listen = [free_address(), free_address()];
    let (first, heard) = listening_in(listen[0].clone()).await;
    let (second, heard_too) = listening_in(listen[1].clone()).await;
    let group = Group::new(vec![first, second], listen.to_vec());
    let members = [group.start(0, transport()).await, group.start(1, transport()).await];
    put(&members[0], b"key", SECRET).await;
    for member in members {
        member.shutdown().await;
    }
    let heard = [heard.lock().unwrap().clone(), heard_too.lock().unwrap().clone()].concat();
    assert!(heard.len() > 1000, "hardly anything was heard");
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn what_members_say_cannot_be_read_on_the_way() {
    let tells = |heard: &[u8]| heard.windows(SECRET.len()).any(|part| part == SECRET);
    let ours = Authority::new();
    assert!(!tells(&heard_over(|| member_tls(&ours, &ours)).await));
    assert!(tells(&heard_over(|| Arc::new(Tcp)).await), "the test would find it");
}
