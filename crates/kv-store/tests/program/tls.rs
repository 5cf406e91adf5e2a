use std::{fs, thread, time::Duration};

use tempfile::TempDir;

use crate::{
    addresses::free_address,
    authority::Authority,
    process::{Serving, program, run, soon},
};

/// A folder with certificates.
struct Files(TempDir);

impl Files {
    fn of(authority: &Authority) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.renew(authority);
        files
    }

    /// Writes those of `authority` over what there is.
    fn renew(&self, authority: &Authority) {
        fs::write(self.path("ca"), authority.pem()).unwrap();
        for (name, host) in [("server", "127.0.0.1"), ("client", "client")] {
            let (certificate, key) = authority.issue(&[host]);
            fs::write(self.path(name), certificate).unwrap();
            fs::write(self.path(&format!("{name}-key")), key).unwrap();
        }
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// How it is asked by who shows a certificate.
    fn client(&self) -> [String; 6] {
        ["--cacert".to_owned(), self.path("ca"), "--cert".to_owned(), self.path("client"), "--key".to_owned(), self.path("client-key")]
    }

    /// A server of a new file that asks for certificates.
    fn serve(&self) -> Serving {
        let [file, certificate, key, ca] = ["store.kv", "server", "server-key", "ca"].map(|name| self.path(name));
        Serving::start(&[
            "--file",
            &file,
            "--listen",
            "127.0.0.1:0",
            "--cert-file",
            &certificate,
            "--key-file",
            &key,
            "--trusted-ca-file",
            &ca,
        ])
    }

    /// A member that shows the server's certificate to clients and to the others.
    fn serve_member(&self, at: usize, [peer, client]: &[String; 2], founders: &str) -> Serving {
        let node = (at + 1).to_string();
        let [certificate, key, ca, token] = ["server", "server-key", "ca", "token"].map(|name| self.path(name));
        let folder = self.path(&format!("member-{node}"));
        let mut args = vec!["--node", &node, "--folder", &folder, "--listen", client, "--peer", peer, "--founders", founders];
        args.extend(["--cluster-token-file", &token, "--heartbeat", "50ms", "--election", "300ms", "--timeout", "2s"]);
        args.extend(["--cert-file", &certificate, "--key-file", &key, "--trusted-ca-file", &ca]);
        args.extend(["--peer-cert-file", &certificate, "--peer-key-file", &key, "--peer-trusted-ca-file", &ca]);
        Serving::start(&args)
    }
}

fn asks(serving: &Serving, arguments: &[String], command: &[&str]) -> bool {
    let mut asking = program();
    asking.args(["--endpoints", &serving.url, "--timeout", "1s"]).args(arguments).args(command);
    run(&mut asking, "").status.success()
}

#[test]
fn a_server_with_certificates_serves_those_who_show_theirs() {
    let files = Files::of(&Authority::new());
    let serving = files.serve();
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    assert!(asks(&serving, &files.client(), &["put", "color", "blue"]));
    assert!(!asks(&serving, &files.client()[..2], &["put", "color", "red"]), "it shows none");
    assert!(!asks(&serving, &[], &["put", "color", "red"]), "it trusts nobody");
    assert!(!asks(&serving, &Files::of(&Authority::new()).client(), &["put", "color", "red"]), "a stranger");
    let said = serving.says(&[&files.client().each_ref().map(String::as_str)[..], &["get", "color"]].concat(), "");
    assert_eq!(said.trim(), "blue");
}

#[test]
fn renewed_certificates_are_taken_without_a_restart() {
    let files = Files::of(&Authority::new());
    let serving = files.serve();
    assert!(asks(&serving, &files.client(), &["put", "color", "blue"]));
    // What cannot be used changes nothing.
    fs::write(files.path("server"), "no certificate").unwrap();
    thread::sleep(Duration::from_secs(6));
    assert!(asks(&serving, &files.client(), &["get", "color"]));
    files.renew(&Authority::new());
    soon("the old ones are still shown", || asks(&serving, &files.client(), &["get", "color"]));
}

/// Three members that speak TLS to each other and to clients, of which one is killed.
#[test]
fn a_cluster_serves_over_tls_and_does_without_one_member() {
    let files = Files::of(&Authority::new());
    let addresses: Vec<_> = (0..3).map(|_| [free_address(), free_address()]).collect();
    let founder = |(at, [peer, client]): (usize, &[String; 2])| format!("{}={peer}@https://{client}", at + 1);
    let founders = addresses.iter().enumerate().map(founder).collect::<Vec<_>>().join(",");
    fs::write(files.path("token"), "what these members know, and nobody else").unwrap();
    let mut members: Vec<_> = (0..3).map(|at| files.serve_member(at, &addresses[at], &founders)).collect();
    let puts = |serving: &Serving, value| asks(serving, &files.client(), &["put", "color", value]);
    soon("nobody leads", || puts(&members[0], "blue"));
    members.remove(0).kill();
    soon("the others do not go on", || puts(&members[0], "green"));
    let said = members[1].says(&[&files.client().each_ref().map(String::as_str)[..], &["get", "color"]].concat(), "");
    assert_eq!(said.trim(), "green");
}

#[test]
fn certificates_without_their_keys_are_refused() {
    let files = Files::of(&Authority::new());
    for arguments in [
        vec!["--cert-file", "server"],
        vec!["--trusted-ca-file", "ca"],
        vec!["--peer-cert-file", "server", "--peer-key-file", "server-key"],
        vec!["--cert-file", "server", "--key-file", "client-key"],
        vec!["--cert-file", "server", "--key-file", "nothing"],
    ] {
        let arguments: Vec<_> =
            arguments.into_iter().map(|name| if name.starts_with("--") { name.to_owned() } else { files.path(name) }).collect();
        let refused = run(program().args(["serve", "--listen", "127.0.0.1:0", "--file", &files.path("other.kv")]).args(&arguments), "");
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{arguments:?}");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            said.contains("--cert-file") || said.contains("--peer-cert-file") || said.contains("nothing"),
            "it does not say where: {said}"
        );
    }
}
