use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::{
    member::{Held, Member},
    shared::Shared,
};
use crate::request::Value;

/// How long members may take to agree.
const PATIENCE: Duration = Duration::from_secs(10);

/// All values that were ever written for good, and what each member holds.
pub(super) async fn aftermath(shared: &Shared) -> Result<(BTreeSet<Value>, Vec<BTreeMap<u8, Value>>)> {
    let (member, revision) = settled(shared).await?;
    let surviving = member.history(revision).await?;
    let mut replicas = Vec::new();
    let end = Instant::now() + PATIENCE;
    for node in 0..shared.slots.len() {
        replicas.push(replica(shared, node, revision, end).await.values);
    }
    Ok((surviving, replicas))
}

/// A member, and the revision before which all lies that was acknowledged.
async fn settled(shared: &Shared) -> Result<(Arc<dyn Member>, u64)> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        for (member, _) in (0..shared.slots.len()).filter_map(|node| shared.at(node)) {
            if let Ok(held) = member.held(true).await {
                return Ok((member, held.revision));
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("no member can be read after the end")
}

/// What a member holds once it has caught up; what it holds where it does not, and nothing where it is dead.
async fn replica(shared: &Shared, node: usize, revision: u64, end: Instant) -> Held {
    loop {
        let Some((member, _)) = shared.at(node) else { return Held::default() };
        let held = member.held(false).await.unwrap_or_default();
        if held.revision >= revision || Instant::now() >= end {
            return held;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
