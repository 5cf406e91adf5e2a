use std::{
    net::{TcpListener, UdpSocket},
    os::linux::net::SocketAddrExt,
    os::unix::net::{SocketAddr, UnixListener},
};

use crate::attempt::Stage;

/// TCP and UDP to a listener on this machine's loopback, and to the outside: the namespace has no network, and Landlock no TCP.
#[test]
fn internet() {
    let Some(stage) = Stage::new() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    datagrams.set_nonblocking(true).unwrap();
    listener.set_nonblocking(true).unwrap();
    let (tcp, udp) = (listener.local_addr().unwrap().port(), datagrams.local_addr().unwrap().port());
    stage.expect(
        &format!(
            r#"
tried("tcp", lambda: socket.create_connection(("127.0.0.1", {tcp}), 2))
tried("tcp out", lambda: socket.create_connection(("192.0.2.1", 80), 2))
tried("tcp 6", lambda: socket.socket(socket.AF_INET6).connect(("::1", {tcp})))
tried("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {udp})))
tried("udp out", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
tried("bind", lambda: socket.socket().bind(("127.0.0.1", 4000)))
"#
        ),
        &["tcp EACCES", "tcp out EACCES", "tcp 6 EACCES", "udp ENETUNREACH", "udp out ENETUNREACH", "bind EACCES"],
    );
    assert!(listener.accept().is_err(), "nobody came");
    assert!(datagrams.recv(&mut [0]).is_err(), "nothing came");
}

/// Unix sockets of the machine: abstract names are of another network namespace, and paths are not there.
#[test]
fn unix_sockets() {
    let Some(stage) = Stage::new() else { return };
    let name = format!("jarre-sandbox-test-{}", std::process::id());
    let abstracted = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let named = UnixListener::bind(&path).unwrap();
    stage.expect(
        &format!(
            r#"
tried("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\0{name}"))
tried("path", lambda: socket.socket(socket.AF_UNIX).connect({path:?}))
tried("own", lambda: socket.socketpair())
"#,
            path = path.to_str().unwrap()
        ),
        &["abstract ECONNREFUSED", "path ENOENT", "own DONE"],
    );
    drop((abstracted, named));
}

/// Families of sockets that reach the kernel or the hardware: the filter allows three.
#[test]
fn other_families() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
for name, family in [("netlink", 16), ("packet", 17), ("alg", 38), ("vsock", 40), ("bluetooth", 31), ("can", 29), ("xdp", 44)]:
    tried(name, lambda: socket.socket(family, socket.SOCK_RAW))
tried("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
"#,
        &[
            "netlink EAFNOSUPPORT",
            "packet EAFNOSUPPORT",
            "alg EAFNOSUPPORT",
            "vsock EAFNOSUPPORT",
            "bluetooth EAFNOSUPPORT",
            "can EAFNOSUPPORT",
            "xdp EAFNOSUPPORT",
            "raw EPERM",
        ],
    );
}
