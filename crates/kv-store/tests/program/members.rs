use std::{collections::BTreeSet, fs, thread, time::Duration};

use jarre_kv_store::{Remote, RemoteOptions, Store};
use tempfile::TempDir;
use tokio::runtime;

use crate::{
    addresses::free_address,
    network::Network,
    process::{Serving, soon},
};

/// What servers on a network ask for.
const TOKEN: &str = "shown with each request";

/// Three members, each a process with a folder of its own.
pub(crate) struct Members {
    // Processes end before their network does.
    running: Vec<Option<Serving>>,
    folder: TempDir,
    founders: String,
    addresses: Vec<[String; 2]>,
    /// Where they run, if not all on the loopback interface.
    network: Option<Network>,
}

impl Members {
    /// On the loopback interface.
    pub(crate) fn started() -> Self {
        Self::started_on(None)
    }

    /// Each on a host of the network, where there is one.
    pub(crate) fn started_on(network: Option<Network>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "what these members know, and nobody else").unwrap();
        fs::write(folder.path().join("clients"), TOKEN).unwrap();
        let address = |at| match network {
            Some(_) => [2380, 2379].map(|port| format!("{}:{port}", Network::address(at))),
            None => [free_address(), free_address()],
        };
        let addresses: Vec<_> = (0..3).map(address).collect();
        let founder = |(at, [peer, client]): (usize, &[String; 2])| format!("{}={peer}@http://{client}", at + 1);
        let founders = addresses.iter().enumerate().map(founder).collect::<Vec<_>>().join(",");
        let mut members = Self { running: vec![None, None, None], folder, founders, addresses, network };
        (0..3).for_each(|at| members.start(at));
        members
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn start(&mut self, at: usize) {
        let (node, [peer, client]) = ((at + 1).to_string(), &self.addresses[at]);
        let (folder, token, clients) = (self.path(&format!("member-{node}")), self.path("token"), self.path("clients"));
        let mut args = vec!["--node", &node, "--folder", &folder, "--listen", client, "--peer", peer, "--cluster-token-file", &token];
        args.extend(["--founders", &self.founders, "--heartbeat", "50ms", "--election", "300ms", "--timeout", "2s"]);
        if self.network.is_some() {
            args.extend(["--token-file", &clients]);
        }
        self.running[at] = Some(self.within(at, || Serving::start(&args)));
    }

    pub(crate) fn kill(&mut self, at: usize) {
        self.running[at].take().unwrap().kill();
    }

    pub(crate) fn signal(&self, at: usize, name: &str) {
        self.serving(at).signal(name);
    }

    pub(crate) fn serving(&self, at: usize) -> &Serving {
        self.running[at].as_ref().expect("it runs")
    }

    pub(crate) fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// What `work` gives where a member runs.
    pub(crate) fn within<T: Send>(&self, at: usize, work: impl FnOnce() -> T + Send) -> T {
        match &self.network {
            Some(network) => network.within(at, work),
            None => thread::scope(|scope| scope.spawn(work).join().unwrap()),
        }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|[_, client]| format!("http://{client}")).collect()
    }

    /// How to ask one member alone.
    pub(crate) fn options(&self, at: usize, timeout: Duration) -> RemoteOptions {
        let options = RemoteOptions::new([&self.urls()[at]]).with_timeout(timeout);
        if self.network.is_some() { options.with_token(TOKEN) } else { options }
    }

    /// All of them, from where these tests run.
    pub(crate) fn remote(&self) -> Remote {
        Remote::new(RemoteOptions::new(self.urls()).with_timeout(Duration::from_secs(10))).unwrap()
    }

    /// What `call` gives at a member, asked from where it runs.
    pub(crate) fn ask<T: Send, F: Future<Output = T>>(&self, at: usize, call: impl FnOnce(Remote) -> F + Send) -> T {
        let options = self.options(at, Duration::from_secs(2));
        self.within(at, || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(call(Remote::new(options).unwrap()))
        })
    }

    /// Which member leads, as those that run know.
    pub(crate) fn leader(&self) -> usize {
        self.leader_of(&[0, 1, 2], |_| true)
    }

    /// Which member leads, as one of these knows, and is a leader that is waited for.
    pub(crate) fn leader_of(&self, asked: &[usize], is_right: impl Fn(usize) -> bool) -> usize {
        let mut found = None;
        soon("nobody leads", || {
            let running = asked.iter().filter(|at| self.running[**at].is_some());
            let mut leaders = running.filter_map(|at| self.believed_leader(*at));
            found = leaders.find(|at| self.running[*at].is_some() && is_right(*at));
            found.is_some()
        });
        found.unwrap()
    }

    fn believed_leader(&self, at: usize) -> Option<usize> {
        let leader = self.ask(at, async |remote| remote.status().await).ok()?.leader?;
        self.urls().iter().position(|url| *url == leader)
    }

    /// Ends all, and holds them to the same content.
    pub(crate) fn digests(mut self) {
        for serving in self.running.iter().flatten() {
            serving.signal("-TERM");
        }
        for serving in self.running.iter_mut().flatten() {
            assert!(serving.child.wait().unwrap().success());
        }
        let serving = self.serving(0);
        let digests: BTreeSet<_> =
            (1..=3).map(|node| serving.json(&["verify", &self.path(&format!("member-{node}"))])["digest"].to_string()).collect();
        assert_eq!(digests.len(), 1, "members that ended together differ");
    }
}
