//! Members that show certificates, and ask for them.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use crate::{authority::Authority, cluster::Cluster};
use jarre_kv_store::{Error, Etcd, Store, Tls};

fn arguments(folder: &Path, authority: &Authority, names: &[&str]) -> Vec<OsString> {
    let (certificate, key) = authority.issue(names);
    let mut arguments = vec![OsString::from("--client-cert-auth")];
    for (option, content) in [("--cert-file", certificate), ("--key-file", key), ("--trusted-ca-file", authority.pem())] {
        let path = folder.join(&option[2..]);
        fs::write(&path, content).unwrap();
        arguments.extend([option.into(), path.into()]);
    }
    arguments
}

fn connect(cluster: &Cluster, tls: Tls, seconds: u64) -> Result<Etcd, Error> {
    pollster::block_on(Etcd::connect(cluster.options("p/").with_tls(tls).with_timeout(Duration::from_secs(seconds))))
}

#[test]
fn both_ends_show_who_they_are() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cluster = Cluster::start_with(1, |folder| arguments(folder, &authority, &["127.0.0.1"]));
    let (certificate, key) = authority.issue(&["client"]);
    let tls = Tls::new(authority.pem()).with_identity(certificate.clone(), key.clone());
    let store = connect(&cluster, tls.clone(), 20).unwrap();
    let revision = pollster::block_on(store.put(b"a", b"1")).unwrap();
    assert_eq!(pollster::block_on(store.get(b"a")).unwrap().unwrap().mod_revision, revision);
    assert!(!format!("{store:?}").contains("PRIVATE"));

    let (false_certificate, false_key) = stranger.issue(&["client"]);
    let cases = [
        ("a server of an unknown authority", Tls::new(stranger.pem()).with_identity(certificate, key)),
        ("no certificate of its own", Tls::new(authority.pem())),
        ("one of an unknown authority", Tls::new(authority.pem()).with_identity(false_certificate, false_key)),
        ("a server of another name", tls.with_domain("elsewhere")),
    ];
    for (what, tls) in cases {
        assert!(connect(&cluster, tls, 1).is_err(), "{what}");
    }
}

#[test]
fn a_name_may_stand_for_the_host() {
    let authority = Authority::new();
    let cluster = Cluster::start_with(1, |folder| arguments(folder, &authority, &["etcd.example"]));
    let (certificate, key) = authority.issue(&["client"]);
    let tls = Tls::new(authority.pem()).with_identity(certificate, key);
    connect(&cluster, tls.clone().with_domain("etcd.example"), 20).unwrap();
    assert!(connect(&cluster, tls, 1).is_err(), "the host itself is of another name");
}
