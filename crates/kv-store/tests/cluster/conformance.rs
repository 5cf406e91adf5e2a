use std::{sync::Arc, time::Duration};

use jarre_core::{BoxFuture, testing::ManualClock};
use jarre_kv_store::{
    Limits, Memory, Store,
    testing::{Subject, conformance},
};

use crate::group::Group;

struct Member {
    group: Group,
    at: usize,
    clock: Arc<ManualClock>,
}

impl Subject for Member {
    fn store(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::clone(self.group.at(self.at)) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.advance(time) })
    }

    fn restore(&self, snapshot: Vec<u8>) -> Option<BoxFuture<'_, Arc<dyn Store>>> {
        let restored = Memory::restore(&*snapshot, Arc::clone(&self.clock) as _, Limits::default()).unwrap();
        Some(Box::pin(async { Arc::new(restored) as Arc<dyn Store> }))
    }
}

async fn member(count: u64, leads: bool) -> Member {
    let clock = Arc::new(ManualClock::default());
    let mut group = Group::of(count);
    group.clock = Arc::clone(&clock) as _;
    group.start_all().await;
    let at = if leads { group.leader().await } else { group.follower().await };
    Member { group, at, clock }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_three_keeps_every_promise() {
    let member = member(3, true).await;
    conformance(&member).await;
    member.group.converge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_three_keeps_every_promise() {
    let member = member(3, false).await;
    conformance(&member).await;
    member.group.converge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_alone_keeps_every_promise() {
    conformance(&member(1, true).await).await;
}
