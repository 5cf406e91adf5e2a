use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jarre_agent::serve::{Dashboard, DashboardConfig, MemoryRuns, Runs, Secret};
use jarre_agent::{ApprovalToken, Record};
use jarre_core::testing::ManualClock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Reply, send};
use crate::sample::{self, Log, START};

pub(crate) const SECRET: &str = "an-open-secret-of-the-tests";

/// A dashboard that runs.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) runs: MemoryRuns,
    pub(crate) clock: Arc<ManualClock>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<jarre_agent::Result<()>>,
}

impl Site {
    pub(crate) async fn start(config: DashboardConfig) -> Self {
        let runs = MemoryRuns::new();
        Self::start_over(runs.clone(), runs, None, config).await
    }

    /// Shows `shown`, which is `runs` in some form, to those who come to `listener`, or to a listener of its own.
    pub(crate) async fn start_over(
        shown: impl Runs + 'static,
        runs: MemoryRuns,
        listener: Option<TcpListener>,
        config: DashboardConfig,
    ) -> Self {
        let clock = Arc::new(ManualClock::starting_at(START));
        let named = config.hosts.first().cloned();
        let config = config.with_address("127.0.0.1:0".parse().unwrap());
        let dashboard = Dashboard::new(Arc::new(shown), Secret::new(SECRET).unwrap(), clock.clone(), config);
        let listener = match listener {
            Some(listener) => listener,
            None => dashboard.bind().await.unwrap(),
        };
        let address = listener.local_addr().unwrap();
        let host = named.unwrap_or_else(|| address.to_string());
        assert_eq!(dashboard.sign_in_address(address), format!("http://{host}/sign-in#{SECRET}"));
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(dashboard.serve(listener, async {
            let _ = stopped.await;
        }));
        Self { address, runs, clock, stop: Some(stop), serving }
    }

    pub(crate) fn push(&self, run: &str, records: &[Record]) {
        for record in records {
            self.runs.push(run, record.clone());
        }
    }

    /// A run that waits for an approval.
    pub(crate) fn with_question(&self, run: &str) -> (Log, ApprovalToken) {
        let (log, _, token) = sample::until_approval(run, START);
        self.push(run, &log.records);
        (log, token)
    }

    pub(crate) async fn get(&self, path: &str, headers: &str) -> Reply {
        send(self.address, "GET", path, headers, "").await
    }

    pub(crate) async fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        send(self.address, "POST", path, headers, body).await
    }

    /// Signs in; the header that shows it.
    pub(crate) async fn sign_in(&self) -> String {
        let reply = self.post("/sign-in", "", &format!("secret={SECRET}")).await;
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{reply:?}");
        let cookie = reply.header("set-cookie").unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict;") && cookie.contains("Path=/"), "{cookie}");
        format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
    }

    /// Waits until another page may follow. Seats come back when their readers go, which the server hears of by and by.
    pub(crate) async fn seat(&self) {
        while self.get("/runs/none/events", &bearer()).await.status == 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> jarre_agent::Result<()> {
        let _ = self.stop.take().unwrap().send(());
        tokio::time::timeout(Duration::from_secs(30), self.serving).await.unwrap().unwrap()
    }
}

pub(crate) fn bearer() -> String {
    format!("Authorization: Bearer {SECRET}\r\n")
}

/// What a run's log says that people said.
pub(crate) async fn answers(site: &Site, run: &str) -> Vec<jarre_agent::Event> {
    let records = site.runs.records(run, 0).await.unwrap();
    records.into_iter().map(|record| record.event).filter(|event| matches!(event, jarre_agent::Event::ApprovalAnswered { .. })).collect()
}
