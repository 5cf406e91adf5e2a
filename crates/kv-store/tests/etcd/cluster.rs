use std::{
    env,
    ffi::OsString,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use jarre_kv_store::{Etcd, EtcdOptions};
use tempfile::TempDir;

/// Members of an etcd cluster on this machine. They end with it.
pub(crate) struct Cluster {
    folder: TempDir,
    members: Vec<Member>,
    /// What members are told besides; those that listen with TLS are told their certificates.
    arguments: Vec<OsString>,
}

struct Member {
    name: String,
    client: u16,
    peer: u16,
    process: Option<Child>,
}

impl Cluster {
    /// A new cluster, in memory where the system offers that: what is tested here is no disk.
    pub(crate) fn start(members: usize) -> Self {
        Self::start_with(members, |_| Vec::new())
    }

    /// A new cluster that is also told what `arguments` makes of its folder.
    pub(crate) fn start_with(members: usize, arguments: impl FnOnce(&Path) -> Vec<OsString>) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        // All are held until each is known, so that no port is given twice.
        let ports: Vec<TcpListener> = (0..2 * members).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let port = |number: usize| ports[number].local_addr().expect("it is bound").port();
        let member = |number| Member { name: format!("m{number}"), client: port(2 * number), peer: port(2 * number + 1), process: None };
        let folder = folder.expect("a folder");
        let arguments = arguments(folder.path());
        let mut cluster = Self { folder, members: (0..members).map(member).collect(), arguments };
        drop(ports);
        (0..members).for_each(|number| cluster.launch(number));
        cluster
    }

    pub(crate) fn endpoints(&self) -> Vec<String> {
        let scheme = if self.arguments.is_empty() { "http" } else { "https" };
        self.members.iter().map(|member| format!("{scheme}://127.0.0.1:{}", member.client)).collect()
    }

    pub(crate) fn options(&self, prefix: &str) -> EtcdOptions {
        EtcdOptions::new(self.endpoints(), prefix)
    }

    /// A store that waits until the cluster answers.
    pub(crate) fn store(&self, prefix: &str) -> Etcd {
        pollster::block_on(Etcd::connect(self.options(prefix).with_timeout(Duration::from_secs(20)))).expect("etcd answers")
    }

    /// Ends a member as a power failure would: signal 9.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some(mut process) = self.members[number].process.take() {
            process.kill().expect("it can be ended");
            process.wait().expect("it has ended");
        }
    }

    /// Stops a member in the middle of whatever it does, its connections open, or lets it go on.
    pub(crate) fn pause(&self, number: usize, stopped: bool) {
        let process = self.members[number].process.as_ref().expect("it runs");
        let signal = if stopped { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().expect("a signal is sent").success());
    }

    /// Starts a member with what it had on disk.
    pub(crate) fn launch(&mut self, number: usize) {
        let all: Vec<String> = self.members.iter().map(|member| format!("{}=http://127.0.0.1:{}", member.name, member.peer)).collect();
        let member = &mut self.members[number];
        let scheme = if self.arguments.is_empty() { "http" } else { "https" };
        let (client, peer) = (format!("{scheme}://127.0.0.1:{}", member.client), format!("http://127.0.0.1:{}", member.peer));
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).expect("a log");
        let process = Command::new(binary())
            .args(["--name", &member.name, "--logger", "zap", "--log-level", "warn", "--initial-cluster", &all.join(",")])
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(&self.arguments)
            .arg("--data-dir")
            .arg(self.folder.path().join(&member.name))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn();
        member.process = Some(process.expect("etcd starts"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|number| self.kill(number));
    }
}

/// The server: what `JARRE_ETCD` names, or `etcd` on the path.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where the server is")]
fn binary() -> PathBuf {
    if let Some(named) = env::var_os("JARRE_ETCD") {
        return named.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("etcd")).find(|file| file.is_file());
    found.expect("there is no `etcd` on the path: install it (Debian: `apt-get install etcd-server`), or name one by JARRE_ETCD")
}
