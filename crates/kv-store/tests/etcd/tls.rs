//! Members that show certificates, and ask for them.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use jarre_kv_store::{Error, Etcd, EtcdTls, Store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::cluster::Cluster;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for these names, and its key, in PEM.
    fn issue(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

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

fn connect(cluster: &Cluster, tls: EtcdTls, seconds: u64) -> Result<Etcd, Error> {
    pollster::block_on(Etcd::connect(cluster.options("p/").with_tls(tls).with_timeout(Duration::from_secs(seconds))))
}

#[test]
fn both_ends_show_who_they_are() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cluster = Cluster::start_with(1, |folder| arguments(folder, &authority, &["127.0.0.1"]));
    let (certificate, key) = authority.issue(&["client"]);
    let tls = EtcdTls::new(authority.pem()).with_identity(certificate.clone(), key.clone());
    let store = connect(&cluster, tls.clone(), 20).unwrap();
    let revision = pollster::block_on(store.put(b"a", b"1")).unwrap();
    assert_eq!(pollster::block_on(store.get(b"a")).unwrap().unwrap().mod_revision, revision);
    assert!(!format!("{store:?}").contains("PRIVATE"));

    let (false_certificate, false_key) = stranger.issue(&["client"]);
    let cases = [
        ("a server of an unknown authority", EtcdTls::new(stranger.pem()).with_identity(certificate, key)),
        ("no certificate of its own", EtcdTls::new(authority.pem())),
        ("one of an unknown authority", EtcdTls::new(authority.pem()).with_identity(false_certificate, false_key)),
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
    let tls = EtcdTls::new(authority.pem()).with_identity(certificate, key);
    connect(&cluster, tls.clone().with_domain("etcd.example"), 20).unwrap();
    assert!(connect(&cluster, tls, 1).is_err(), "the host itself is of another name");
}
