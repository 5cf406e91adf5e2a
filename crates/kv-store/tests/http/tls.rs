//! Servers and their clients over TLS.

use std::{sync::Arc, time::Duration};

use jarre_core::testing::ManualClock;
use jarre_kv_store::{
    Error, Limits, Memory, Remote, RemoteOptions, ServerTls, Store, Tls,
    http::{Server, ServerConfig},
    testing::conformance,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{authority::Authority, conformance::Client};

const HOST: &[&str] = &["127.0.0.1"];

/// A server of a store in memory, which shows a certificate of `ours`; to whom it is shown one of `clients`, if there are any.
async fn served(ours: &Authority, clients: Option<&Authority>, change: impl FnOnce(&mut ServerConfig)) -> (String, ServerTls) {
    served_from(Arc::new(Memory::new()), ours, clients, change).await
}

async fn served_from(
    store: Arc<Memory>,
    ours: &Authority,
    clients: Option<&Authority>,
    change: impl FnOnce(&mut ServerConfig),
) -> (String, ServerTls) {
    let (certificate, key) = ours.issue(HOST);
    let clients = clients.map(Authority::pem);
    let tls = ServerTls::new(certificate, key, clients.as_deref().map(str::as_bytes)).unwrap();
    let mut config = ServerConfig::default().with_tls(tls.clone());
    change(&mut config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(Server::new(store, config).serve(listener, std::future::pending()));
    (address, tls)
}

fn remote(address: &str, tls: Tls) -> Remote {
    let options = RemoteOptions::new([format!("https://{address}")]).with_tls(tls).with_timeout(Duration::from_secs(1));
    Remote::new(options).unwrap()
}

fn identified(trusted: &Authority, own: &Authority) -> Tls {
    let (certificate, key) = own.issue(&["client"]);
    Tls::new(trusted.pem()).with_identity(certificate, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_known_by_its_certificate() {
    let (ours, strangers) = (Authority::new(), Authority::new());
    let (address, _) = served(&ours, None, |_| {}).await;
    let store = remote(&address, Tls::new(ours.pem()));
    store.put(b"key", b"value").await.unwrap();
    assert_eq!(store.get(b"key").await.unwrap().unwrap().value, b"value");
    for (who, tls) in [("it trusts others", Tls::new(strangers.pem())), ("another name", Tls::new(ours.pem()).with_domain("elsewhere"))] {
        let error = remote(&address, tls).put(b"key", b"other").await.unwrap_err();
        assert!(matches!(&error, Error::Io { action, .. } if action.contains("TLS: invalid peer certificate")), "{who}: {error:?}");
    }
    assert_eq!(store.get(b"key").await.unwrap().unwrap().version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_is_not_served_where_one_is_asked_for() {
    let (ours, strangers) = (Authority::new(), Authority::new());
    let (address, _) = served(&ours, Some(&ours), |_| {}).await;
    remote(&address, identified(&ours, &ours)).put(b"key", b"value").await.unwrap();
    for (who, tls) in [("none", Tls::new(ours.pem())), ("a stranger's", identified(&ours, &strangers))] {
        // Whether a client gets to read why depends on how fast it is; that nothing is done does not.
        let error = remote(&address, tls).put(b"key", b"other").await.unwrap_err();
        assert!(matches!(error, Error::Io { .. } | Error::Unknown { .. }), "{who}: {error:?}");
    }
    let kept = remote(&address, identified(&ours, &ours)).get(b"key").await.unwrap().unwrap();
    assert_eq!((kept.value.as_slice(), kept.version), (&b"value"[..], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn schemes_are_not_mixed() {
    let ours = Authority::new();
    let (address, _) = served(&ours, None, |_| {}).await;
    let plain = RemoteOptions::new([format!("http://{address}")]).with_timeout(Duration::from_millis(500));
    assert!(Remote::new(plain.clone()).unwrap().put(b"key", b"value").await.is_err(), "a server that encrypts answers nothing else");
    assert!(
        matches!(Remote::new(plain.with_tls(Tls::new(ours.pem()))), Err(Error::Unsupported(_))),
        "nothing is sent unencrypted by chance"
    );
    let untrusted = Remote::new(RemoteOptions::new(["https://127.0.0.1:1"])).unwrap_err();
    assert!(untrusted.to_string().contains("with_tls"), "{untrusted}");
}

#[tokio::test]
async fn certificates_are_as_good_as_a_token_beyond_this_machine() {
    let ours = Authority::new();
    let (certificate, key) = ours.issue(HOST);
    let serve = async |clients: Option<String>| {
        let tls = ServerTls::new(certificate.clone(), key.clone(), clients.as_deref().map(str::as_bytes)).unwrap();
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        Server::new(Arc::new(Memory::new()), ServerConfig::default().with_tls(tls)).serve(listener, async {}).await
    };
    assert!(matches!(serve(None).await, Err(Error::Unsupported(_))), "TLS alone lets everyone in");
    serve(Some(ours.pem())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_certificates_are_for_the_next_connections() {
    let (before, after) = (Authority::new(), Authority::new());
    let (address, shown) = served(&before, None, |_| {}).await;
    let open = remote(&address, Tls::new(before.pem()));
    open.put(b"key", b"value").await.unwrap();
    let (certificate, key) = after.issue(HOST);
    shown.replace(certificate.clone(), key, None).unwrap();
    remote(&address, Tls::new(after.pem())).get(b"key").await.unwrap();
    assert!(remote(&address, Tls::new(before.pem())).get(b"key").await.is_err());
    open.get(b"key").await.unwrap();
    assert!(shown.replace(certificate.clone(), certificate, None).is_err());
    remote(&address, Tls::new(after.pem())).get(b"key").await.unwrap();
}

#[tokio::test]
async fn who_does_not_shake_hands_is_cut_off() {
    let ours = Authority::new();
    let (address, _) = served(&ours, None, |config| config.header_timeout = Duration::from_millis(200)).await;
    for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "it is still waited for");
        assert!(!answer.starts_with(b"HTTP"), "it was answered without TLS");
    }
}

async fn connect(address: &str, ours: &Authority) -> TlsStream<TcpStream> {
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ours.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(config).connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn who_is_answered_early_gets_to_read_it() {
    let ours = Authority::new();
    let (address, _) = served(&ours, None, |config| config.max_body = 1000).await;
    let mut stream = connect(&address, &ours).await;
    let part = vec![b'A'; 256 << 10];
    let head = format!("POST /v3/kv/put HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", part.len() * 20);
    stream.write_all(head.as_bytes()).await.unwrap();
    for number in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(&part).await.unwrap_or_else(|error| panic!("part {number}: {error}"));
    }
    let mut answer = String::new();
    // It says by TLS too that no more comes.
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("more than 1000 bytes"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_keeps_every_promise_over_tls() {
    let ours = Authority::new();
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(Memory::with(Arc::clone(&clock) as _, Limits::default()));
    let (address, _) = served_from(store, &ours, Some(&ours), |_| {}).await;
    conformance(&Client { clock, remote: remote(&address, identified(&ours, &ours)) }).await;
}
