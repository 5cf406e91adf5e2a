use std::{collections::BTreeMap, sync::Arc, time::Duration};

use openraft::error::{InitializeError, RaftError};

use super::{consensus::Address, replica::Replica};
use crate::{Error, Member};

/// How long to wait before founders are looked for again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a founder may take to say who it is.
const MEETING: Duration = Duration::from_secs(2);

/// Founds the cluster, unless it was founded before: the first of the founders waits for the others, learns which lives they are, and writes
/// the first entry.
pub(super) async fn found(replica: Arc<Replica>, life: u64, founders: Vec<Member>) {
    if founders.iter().map(|member| member.id).min() != Some(replica.id) {
        return;
    }
    let mut nodes = BTreeMap::new();
    loop {
        match replica.raft.is_initialized().await {
            Ok(false) => {}
            // It is founded, or the member has stopped.
            _ => return,
        }
        match meet(&replica, life, &founders, &mut nodes).await {
            Ok(true) => break,
            Ok(false) => tokio::time::sleep(PAUSE).await,
            Err(error) => return replica.shared.poison(&error),
        }
    }
    match replica.raft.initialize(nodes).await {
        Ok(()) => tracing::info!(member = replica.id, "the cluster is founded"),
        Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {}
        Err(error) => replica.shared.poison(&Error::Membership(error.to_string())),
    }
}

/// Meets founders that were not met yet. Whether that is all of them.
async fn meet(replica: &Replica, life: u64, founders: &[Member], nodes: &mut BTreeMap<u64, Address>) -> Result<bool, Error> {
    for member in founders.iter().filter(|member| !nodes.contains_key(&member.id)).cloned().collect::<Vec<_>>() {
        let life = if member.id == replica.id {
            life
        } else {
            match replica.peers.meet(member.id, &member.peer, MEETING).await {
                Ok(met) if met.is_founded => {
                    let lost =
                        "the cluster was founded before, so that this member lost its folder: remove it, and add it under another id";
                    return Err(Error::Membership(lost.to_owned()));
                }
                Ok(met) => met.life,
                Err(error) => {
                    tracing::debug!(member = member.id, %error, "a founder is not there yet");
                    return Ok(false);
                }
            }
        };
        nodes.insert(member.id, Address { peer: member.peer, client: member.client, life });
    }
    Ok(true)
}
