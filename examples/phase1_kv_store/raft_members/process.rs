//! A member in a process of its own: this program again, which is told what to do by lines on its standard input and answers on its
//! standard output. So it can be killed and stopped as any process can.

use std::{
    collections::{BTreeSet, HashMap},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anyhow::{Context, Result, bail, ensure};
use jarre_core::BoxFuture;
use tokio::sync::oneshot;

use super::{
    links::State,
    member::{Held, Member},
    orders::{Ask, Order, Reply, Report},
    shared::lock,
};
use crate::{
    record::Claim,
    request::{Answer, Request, Value},
};

/// A member in another process.
pub(super) struct Process {
    child: Mutex<Child>,
    input: Mutex<ChildStdin>,
    asked: AtomicU64,
    heard: Arc<Heard>,
}

/// What the process said.
#[derive(Default)]
struct Heard {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    claim: Mutex<Option<Claim>>,
}

impl Process {
    /// Starts member `node` of those that listen at `addresses`, and returns once it listens.
    pub(super) fn start(node: usize, addresses: &[String], folder: &Path, links: &State) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program to start it again")?;
        let mut command = Command::new(program);
        command.arg("member").arg(node.to_string()).arg(folder).args(addresses);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start a member")?;
        let input = child.stdin.take().context("a process has the input that was asked for")?;
        let output = child.stdout.take().context("a process has the output that was asked for")?;
        let mut reports = BufReader::new(output);
        let mut first = String::new();
        reports.read_line(&mut first).context("cannot hear from a member")?;
        ensure!(serde_json::from_str::<Report>(&first).is_ok_and(|report| report == Report::Ready), "member {node} did not start");
        let heard = Arc::new(Heard::default());
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || listen(reports, &ear));
        let process = Self { child: Mutex::new(child), input: Mutex::new(input), asked: AtomicU64::new(0), heard };
        process.tell_links(links);
        Ok(process)
    }

    /// Tells it what its links are from now on.
    pub(super) fn tell_links(&self, links: &State) {
        self.order(&Order::Links(links.clone()));
    }

    /// Sends it a signal by name, where the system has any.
    pub(super) fn signal(&self, name: &str) -> Result<()> {
        let id = lock(&self.child).id();
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().context("cannot send a signal")?;
        if status.success() { Ok(()) } else { bail!("signal {name} was not sent") }
    }

    fn order(&self, order: &Order) {
        let line = serde_json::to_string(order).expect("orders are plain data");
        // Who is dead hears nothing, and that shows where it is waited for.
        let _ = writeln!(lock(&self.input), "{line}");
    }

    async fn ask(&self, ask: Ask) -> Option<Reply> {
        let id = self.asked.fetch_add(1, Relaxed);
        let (reply, answer) = oneshot::channel();
        lock(&self.heard.waiting).insert(id, reply);
        self.order(&Order::Ask { id, ask });
        answer.await.ok()
    }
}

fn listen(reports: BufReader<ChildStdout>, heard: &Heard) {
    for line in reports.lines() {
        let Ok(report) = line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str(&line)?)) else { break };
        match report {
            Report::Ready => {}
            Report::Claim(term) => *lock(&heard.claim) = term.map(|term| Claim { term: Some(term) }),
            Report::Reply { id, reply } => {
                let waiting = lock(&heard.waiting).remove(&id);
                // Who asked may have given up.
                let _ = waiting.map(|waiting| waiting.send(reply));
            }
        }
    }
    // Nobody answers any more: who waits is told by this.
    lock(&heard.waiting).clear();
    *lock(&heard.claim) = None;
}

impl Member for Process {
    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            match self.ask(Ask::Answer(request.clone())).await {
                Some(Reply::Answer(answer)) => answer,
                _ => Answer::Unknown,
            }
        })
    }

    fn claim(&self) -> Option<Claim> {
        *lock(&self.heard.claim)
    }

    fn held(&self, linearizable: bool) -> BoxFuture<'_, Result<Held>> {
        Box::pin(async move {
            match self.ask(Ask::Held { linearizable }).await {
                Some(Reply::Held(held)) => Ok(held),
                _ => bail!("the member does not say what it holds"),
            }
        })
    }

    fn history(&self, until: u64) -> BoxFuture<'_, Result<BTreeSet<Value>>> {
        Box::pin(async move {
            match self.ask(Ask::History { until }).await {
                Some(Reply::History(values)) => Ok(values),
                _ => bail!("the member does not say what was written"),
            }
        })
    }

    /// With signal 9, where the system has signals.
    fn end(&self) -> BoxFuture<'_, ()> {
        let mut child = lock(&self.child);
        // It may be dead already.
        let _ = child.kill();
        let _ = child.wait();
        Box::pin(std::future::ready(()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}
