use std::{sync::Arc, time::Duration};

use jarre_kv_store::{
    Error, KeyRange, Memory, Op, Remote, RemoteOptions, Session, Store, Txn, WatchRequest,
    http::{Server, ServerConfig},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A server of some store, until it is dropped.
pub(crate) struct Served {
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn new(store: Arc<dyn Store>, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = Server::new(store, config);
        let task = tokio::spawn(async move { server.serve(listener, async { drop(stopped.await) }).await.unwrap() });
        Self { address, stop: Some(stop), task }
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote::new(RemoteOptions::new([format!("http://{}", self.address)]).with_timeout(Duration::from_secs(3))).unwrap()
    }

    /// Stops, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_token_or_another_is_refused() {
    let served = Served::new(Arc::new(Memory::new()), ServerConfig::default().with_token("secret")).await;
    let url = format!("http://{}", served.address);
    let with = |token: &str| Remote::new(RemoteOptions::new([&url]).with_token(token)).unwrap();
    assert!(matches!(served.remote().put(b"key", b"value").await, Err(Error::Unauthorized(_))));
    assert!(matches!(with("other").get(b"key").await, Err(Error::Unauthorized(_))));
    with("secret").put(b"key", b"value").await.unwrap();
    assert!(with("secret").get(b"key").await.unwrap().is_some());
    assert!(!format!("{:?}", with("secret")).contains("secret"));
}

#[tokio::test]
async fn a_server_for_everyone_needs_a_token() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = Server::new(Arc::new(Memory::new()), ServerConfig::default()).serve(listener, async {}).await;
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_over_a_restart_of_the_server_and_misses_nothing() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let first = Served::new(Arc::clone(&store), ServerConfig::default()).await;
    let second = Served::new(Arc::clone(&store), ServerConfig::default()).await;
    let urls = [&first, &second].map(|served| format!("http://{}", served.address));
    let remote = Remote::new(RemoteOptions::new(urls)).unwrap();
    let mut watch = remote.watch(WatchRequest::new(KeyRange::all())).await.unwrap();
    store.put(b"a", b"1").await.unwrap();
    let seen = watch.next().await.unwrap().unwrap();
    assert_eq!(seen.events[0].key(), b"a");
    first.stop().await;
    for key in ["b", "c"] {
        store.put(key.as_bytes(), b"2").await.unwrap();
    }
    for key in ["b", "c"] {
        assert_eq!(watch.next().await.unwrap().unwrap().events[0].key(), key.as_bytes());
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_finished_when_the_server_stops() {
    let served = Served::new(Arc::new(Memory::new()), ServerConfig::default()).await;
    let remote = served.remote();
    let mut watch = remote.watch(WatchRequest::new(KeyRange::all())).await.unwrap();
    remote.put(b"key", b"value").await.unwrap();
    watch.next().await.unwrap().unwrap();
    // An open watch and idle connections do not keep it.
    tokio::time::timeout(Duration::from_secs(5), served.stop()).await.unwrap();
    assert!(
        remote.put(b"key", b"value").await.unwrap_err().is_retryable(),
        "it says that the server is gone, not that the request is wrong"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_request_is_repeated_at_another_server() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let (first, second) =
        (Served::new(Arc::clone(&store), ServerConfig::default()).await, Served::new(Arc::clone(&store), ServerConfig::default()).await);
    let urls = [&first, &second].map(|served| format!("http://{}", served.address));
    let remote = Remote::new(RemoteOptions::new(urls)).unwrap();
    let mut session = Session::open(&remote).await.unwrap();
    let request = session.tag(Txn::new().then(Op::put("counter", "1")));
    let outcome = remote.txn(request.clone()).await.unwrap();
    first.stop().await;
    assert_eq!(remote.txn(request).await.unwrap(), outcome);
    assert_eq!(store.get(b"counter").await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn a_client_without_servers_or_with_nonsense_is_refused() {
    for servers in [vec![], vec!["ftp://host"], vec!["host:1"], vec!["https://host"], vec![""]] {
        assert!(matches!(Remote::new(RemoteOptions::new(servers)), Err(Error::Unsupported(_))));
    }
}
