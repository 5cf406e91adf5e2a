use std::{sync::Arc, time::Duration};

use super::shared::{Shared, lock};
use crate::{
    client::Client,
    request::{Answer, Refusal, Request},
};

/// A client at work, until it has finished.
pub(super) async fn work(mut client: Client, shared: Arc<Shared>) {
    while let Some((at, request)) = client.next(shared.now()) {
        // The runtime's timer counts whole milliseconds: who is not to wait must not ask it.
        if at > shared.now() {
            tokio::time::sleep_until((shared.began + Duration::from_micros(at)).into()).await;
        }
        let now = shared.now();
        let operation = lock(&shared.record).call(now, &request);
        let answer = ask(&shared, &request, Duration::from_micros(client.timeout)).await;
        client.heard(&answer);
        let now = shared.now();
        lock(&shared.record).end(now, operation, answer);
    }
}

async fn ask(shared: &Shared, request: &Request, timeout: Duration) -> Answer {
    let Some((member, life)) = shared.at(request.node) else { return Answer::Refused { reason: Refusal::Down, hint: None } };
    let answer = tokio::time::timeout(timeout, member.answer(request)).await.unwrap_or(Answer::Unknown);
    let is_lost = matches!(answer, Answer::Refused { .. }) && shared.life(request.node) != life;
    // What a member says while it dies would never have come over a network.
    if is_lost { Answer::Unknown } else { answer }
}
