//! Who may connect to whom, connection by connection.

use std::{io, sync::Arc, time::Duration};

use jarre_kv_store::{
    Error, Tls,
    cluster::{Listener, Stream, Tcp, TlsTransport, Transport},
};
use rcgen::CertificateParams;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::authority::Authority;

const SOON: Duration = Duration::from_secs(20);
const HOST: &[&str] = &["127.0.0.1"];

fn tls(trusted: &Authority, own: &Authority, names: &[&str]) -> Tls {
    let (certificate, key) = own.issue(names);
    Tls::new(trusted.pem()).with_identity(certificate, key)
}

/// Answers each connection's first byte with the next one, each by itself.
async fn echoing(transport: &dyn Transport) -> (String, JoinHandle<()>) {
    let mut listener = transport.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().unwrap();
    (address, tokio::spawn(async move { echo(&mut *listener).await }))
}

async fn echo(listener: &mut dyn Listener) {
    loop {
        let mut stream = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let byte = stream.read_u8().await?;
            stream.write_u8(byte + 1).await?;
            stream.flush().await
        });
    }
}

async fn asks(transport: &dyn Transport, address: &str) -> io::Result<()> {
    let asking = async {
        let mut stream: Box<dyn Stream> = transport.connect(address).await?;
        stream.write_u8(7).await?;
        stream.flush().await?;
        match stream.read_u8().await? {
            8 => Ok(()),
            // The other side may complain in a protocol that is not spoken here.
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    };
    tokio::time::timeout(SOON, asking).await.expect("neither answered nor refused")
}

fn expired(params: &mut CertificateParams) {
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2001, 1, 1), rcgen::date_time_ymd(2002, 1, 1));
}

#[tokio::test]
async fn both_sides_show_who_they_are() {
    let (ours, strangers) = (Authority::new(), Authority::new());
    let member = TlsTransport::new(&tls(&ours, &ours, HOST)).unwrap();
    let (address, _serving) = echoing(&member).await;
    asks(&member, &address).await.unwrap();

    let (certificate, key) = ours.issue_with(HOST, expired);
    let refused = [
        ("trusts others", tls(&strangers, &ours, HOST)),
        ("shows another's certificate", tls(&ours, &strangers, HOST)),
        ("shows one that is over", Tls::new(ours.pem()).with_identity(certificate, key)),
        ("looks for another name", tls(&ours, &ours, HOST).with_domain("elsewhere.example")),
    ];
    for (who, tls) in refused {
        assert!(asks(&TlsTransport::new(&tls).unwrap(), &address).await.is_err(), "{who}");
    }
    assert!(asks(&Tcp, &address).await.is_err(), "does not encrypt");
    let (plain, _serving) = echoing(&Tcp).await;
    assert!(asks(&member, &plain).await.is_err(), "the other side does not encrypt");
    asks(&member, &address).await.unwrap();
}

#[tokio::test]
async fn a_listener_of_another_name_is_not_spoken_to_unless_that_is_asked_for() {
    let ours = Authority::new();
    let member = TlsTransport::new(&tls(&ours, &ours, &["member.example"])).unwrap();
    let (address, _serving) = echoing(&member).await;
    assert!(asks(&member, &address).await.is_err());
    let named = TlsTransport::new(&tls(&ours, &ours, &["member.example"]).with_domain("member.example")).unwrap();
    asks(&named, &address).await.unwrap();
}

#[tokio::test]
async fn who_begins_and_says_no_more_holds_nobody_up() {
    let ours = Authority::new();
    let member = TlsTransport::new(&tls(&ours, &ours, HOST)).unwrap();
    let (address, _serving) = echoing(&member).await;
    let _silent = TcpStream::connect(&address).await.unwrap();
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    asks(&member, &address).await.unwrap();
}

#[tokio::test]
async fn renewed_certificates_are_for_the_next_connections() {
    let (before, after) = (Authority::new(), Authority::new());
    let serving = TlsTransport::new(&tls(&before, &before, HOST)).unwrap();
    let calling = TlsTransport::new(&tls(&before, &before, HOST)).unwrap();
    let (address, _task) = echoing(&serving).await;
    let mut open = calling.connect(&address).await.unwrap();
    serving.replace(&tls(&after, &after, HOST)).unwrap();
    assert!(asks(&calling, &address).await.is_err(), "it trusts the old ones alone");
    calling.replace(&tls(&after, &after, HOST)).unwrap();
    asks(&calling, &address).await.unwrap();
    assert!(calling.replace(&Tls::new("no PEM")).is_err());
    asks(&calling, &address).await.unwrap();
    open.write_u8(1).await.unwrap();
    open.flush().await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), 2, "one that was open goes on");
}

#[test]
fn what_does_not_belong_together_is_refused_at_once() {
    let ours = Authority::new();
    let ((certificate, _), (_, key)) = (ours.issue(HOST), ours.issue(HOST));
    for (what, tls) in [
        ("no identity", Tls::new(ours.pem())),
        ("another's key", Tls::new(ours.pem()).with_identity(certificate.clone(), key.clone())),
        ("a certificate for a key", Tls::new(ours.pem()).with_identity(certificate.clone(), certificate)),
        ("a name that is none", tls(&ours, &ours, HOST).with_domain("a name")),
    ] {
        assert!(matches!(TlsTransport::new(&tls), Err(Error::Invalid(_))), "{what}");
    }
    let shown = format!("{:?}", TlsTransport::new(&tls(&ours, &ours, HOST)).map(Arc::new));
    assert!(!shown.contains("PRIVATE") && !format!("{:?}", tls(&ours, &ours, HOST)).contains("PRIVATE"), "{shown}");
}
