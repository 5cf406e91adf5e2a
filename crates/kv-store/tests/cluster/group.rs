use std::{path::PathBuf, sync::Arc, time::Duration};

use jarre_core::{Clock, SystemClock};
use jarre_kv_store::{Cluster, ClusterOptions, Error, Member, Result, Store, frame::Token};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{addresses::free_address, deaf::Ears};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Members with folders of their own, any of which may be down.
pub(crate) struct Group {
    folder: TempDir,
    pub(crate) members: Vec<Member>,
    pub(crate) running: Vec<Option<Arc<Cluster>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) snapshot_entries: u64,
    pub(crate) ears: Vec<Ears>,
}

impl Group {
    /// So many members, not yet started.
    pub(crate) fn of(count: u64) -> Self {
        let members: Vec<_> = (1..=count).map(|id| Member::new(id, free_address())).collect();
        let ears = members.iter().map(|_| Ears::default()).collect();
        let running = members.iter().map(|_| None).collect();
        Self { folder: tempfile::tempdir().unwrap(), members, running, clock: Arc::new(SystemClock::new()), snapshot_entries: 20_000, ears }
    }

    /// Starts all, and waits for a leader.
    pub(crate) async fn started(count: u64) -> Self {
        let mut group = Self::of(count);
        group.start_all().await;
        group
    }

    pub(crate) async fn start_all(&mut self) {
        for at in 0..self.members.len() {
            self.start(at).await.unwrap();
        }
        self.leader().await;
    }

    pub(crate) fn folder(&self, at: usize) -> PathBuf {
        self.folder.path().join(format!("member-{}", self.members[at].id))
    }

    pub(crate) fn options(&self, at: usize) -> ClusterOptions {
        let token = Token::new(b"a token of these tests alone").unwrap();
        ClusterOptions::new(7, self.members[at].id, token, self.folder(at))
            .with_listen(self.members[at].peer.clone())
            .with_transport(Arc::new(self.ears[at].clone()))
            .with_clock(Arc::clone(&self.clock))
            .with_times(Duration::from_millis(50), Duration::from_millis(300))
            .with_snapshot_every(self.snapshot_entries, 1 << 30)
    }

    pub(crate) async fn start(&mut self, at: usize) -> Result<()> {
        let options = self.options(at).founded_by(self.members.clone());
        self.running[at] = Some(Arc::new(Cluster::start(options).await?));
        Ok(())
    }

    /// Starts one more, which founds nothing and waits to be added.
    pub(crate) async fn start_another(&mut self, id: u64) -> Member {
        let member = Member::new(id, free_address());
        self.members.push(member.clone());
        self.ears.push(Ears::default());
        let cluster = Cluster::start(self.options(self.members.len() - 1)).await.unwrap();
        self.running.push(Some(Arc::new(cluster)));
        member
    }

    pub(crate) async fn stop(&mut self, at: usize) {
        if let Some(cluster) = self.running[at].take() {
            cluster.shutdown().await;
        }
    }

    pub(crate) fn up(&self) -> impl Iterator<Item = (usize, &Arc<Cluster>)> {
        self.running.iter().enumerate().filter_map(|(at, cluster)| Some((at, cluster.as_ref()?)))
    }

    /// The member that leads the others that run, once there is one.
    pub(crate) async fn leader(&self) -> usize {
        let began = Instant::now();
        loop {
            let leading = self.up().filter(|(_, cluster)| cluster.leadership().2).max_by_key(|(_, cluster)| cluster.leadership().1);
            if let Some((at, cluster)) = leading
                && cluster.get(b"nothing").await.is_ok()
            {
                return at;
            }
            assert!(began.elapsed() < SOON, "nobody leads");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn follower(&self) -> usize {
        let leader = self.leader().await;
        self.up().map(|(at, _)| at).find(|at| *at != leader).unwrap()
    }

    pub(crate) fn at(&self, at: usize) -> &Arc<Cluster> {
        self.running[at].as_ref().unwrap()
    }

    /// Puts until that is acknowledged.
    pub(crate) async fn put(&self, at: usize, key: &str, value: &str) {
        let began = Instant::now();
        while let Err(error) = self.at(at).put(key.as_bytes(), value.as_bytes()).await {
            assert!(error.is_retryable() && began.elapsed() < SOON, "{error}");
        }
    }

    /// The last entry of each one's log, and the last that it carried out.
    fn ends(&self) -> Vec<[Option<u64>; 2]> {
        self.up().map(|(_, cluster)| cluster.log_indices()).map(|[last, applied, _]| [last, applied]).collect()
    }

    /// Waits until all that run have carried out the same, and holds them to it.
    pub(crate) async fn converge(&self) {
        let began = Instant::now();
        loop {
            let ends = self.ends();
            let digests: Vec<_> = self.up().map(|(_, cluster)| cluster.verify().unwrap().digest).collect();
            if ends.windows(2).all(|pair| pair[0] == pair[1]) && ends[0][0] == ends[0][1] && ends == self.ends() {
                assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "members that carried out the same differ");
                return;
            }
            assert!(began.elapsed() < SOON, "members stay apart: {ends:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits for `what` to be so.
pub(crate) async fn soon(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn is_no_quorum(result: &Result<impl Sized>) -> bool {
    matches!(result, Err(Error::NoQuorum))
}
