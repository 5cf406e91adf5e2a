use std::{collections::BTreeSet, time::Duration};

use jarre_kv_store::testing::nemesis::Grudge;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Which messages get through between members, and how late.
pub(super) struct Links {
    state: watch::Sender<State>,
}

/// How links are: what a member's process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Sender and receiver of each direction that is cut.
    cuts: BTreeSet<(usize, usize)>,
    dead: Vec<bool>,
    slow: Vec<Duration>,
    all: Duration,
}

impl Links {
    pub(super) fn new(nodes: usize) -> Self {
        let (dead, slow) = (vec![false; nodes], vec![Duration::ZERO; nodes]);
        Self { state: watch::Sender::new(State { cuts: BTreeSet::new(), dead, slow, all: Duration::ZERO }) }
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(super) fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    pub(super) fn cut(&self, grudge: &Grudge) {
        let nodes = 0..grudge.nodes();
        let links = nodes.clone().flat_map(|from| nodes.clone().map(move |to| (from, to)));
        let cuts = links.filter(|&(from, to)| !grudge.hears(to, from)).collect();
        self.state.send_modify(|state| state.cuts = cuts);
    }

    /// Nothing is cut any more, and no member is slow. What was held back arrives, as TCP sends it again.
    pub(super) fn heal(&self) {
        self.state.send_modify(|state| {
            state.cuts.clear();
            state.slow.fill(Duration::ZERO);
        });
    }

    pub(super) fn slow(&self, node: usize, by: Duration) {
        self.state.send_modify(|state| state.slow[node] = by);
    }

    pub(super) fn slow_all(&self, by: Duration) {
        self.state.send_modify(|state| state.all = by);
    }

    /// Ends all connections of a member, now and until it is [revived](Self::revive).
    pub(super) fn sever(&self, node: usize) {
        self.state.send_modify(|state| state.dead[node] = true);
    }

    pub(super) fn revive(&self, node: usize) {
        self.state.send_modify(|state| state.dead[node] = false);
    }

    /// How late a message arrives.
    pub(super) fn delay(&self, from: usize, to: usize) -> Duration {
        let state = self.state.borrow();
        state.all + state.slow[from] + state.slow[to]
    }

    pub(super) fn is_severed(&self, one: usize, other: usize) -> bool {
        let state = self.state.borrow();
        state.dead[one] || state.dead[other]
    }

    /// Waits until `to` hears `from`.
    pub(super) async fn heard(&self, from: usize, to: usize) {
        self.until(|state| !state.cuts.contains(&(from, to))).await;
    }

    /// Waits until one of them is dead.
    pub(super) async fn severed(&self, one: usize, other: usize) {
        self.until(|state| state.dead[one] || state.dead[other]).await;
    }

    async fn until(&self, so: impl Fn(&State) -> bool) {
        // The sender lives as long as this.
        let _ = self.state.subscribe().wait_for(|state| so(state)).await;
    }
}
