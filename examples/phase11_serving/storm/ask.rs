//! Sending one request, and what became of it.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::{sleep_until, timeout_at};

use super::request::{Kind, Patience, Request};
use crate::client::{Client, Event, Events, Reply};

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// With `[DONE]`.
    Done,
    /// With an event that holds an error.
    Error,
    /// The stream began and broke off.
    Broken,
    /// With another status than success.
    Status(u16),
    /// There was no answer.
    Cut,
    /// The client went away.
    Left,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("200 [DONE]"),
            Self::Error => f.write_str("200 error event"),
            Self::Broken => f.write_str("200 broken off"),
            Self::Status(status) => write!(f, "{status}"),
            Self::Cut => f.write_str("no answer"),
            Self::Left => f.write_str("went away"),
        }
    }
}

impl Serialize for Ending {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) ending: Ending,
    /// From sending it to the head of the answer.
    pub(super) head: Duration,
    /// From when it was to come to the first token.
    pub(super) first_token: Option<Duration>,
    pub(super) ended: Instant,
    /// What was said of it, where it went wrong.
    pub(super) why: String,
}

/// Sends a request that is due.
pub(super) async fn ask(client: &Client, request: Request, due: Instant) -> Record {
    let mut record =
        Record { kind: request.kind, ending: Ending::Left, head: Duration::ZERO, first_token: None, ended: due, why: String::new() };
    let talk = talk(client, &request, due, &mut record);
    if let Patience::Arrival(wait) = request.patience {
        // Late, it has gone away: what was asked is dropped with its connection.
        let _ = timeout_at((due + wait).into(), talk).await;
    } else {
        talk.await;
    }
    record.ended = Instant::now();
    record
}

async fn talk(client: &Client, request: &Request, due: Instant, record: &mut Record) {
    let body = request.body.to_vec();
    let sent = Instant::now();
    let reply = client.send(body).await;
    record.head = sent.elapsed();
    match reply {
        Ok(Reply::Stream(events)) => read(*events, request.patience, due, record).await,
        Ok(Reply::Refused(status, body)) => (record.ending, record.why) = (Ending::Status(status), body),
        Err(error) => (record.ending, record.why) = (Ending::Cut, format!("{:#}", anyhow::Error::from(error))),
    }
}

async fn read(mut events: Events, patience: Patience, due: Instant, record: &mut Record) {
    let mut leaves: Option<Instant> = None;
    loop {
        let event = match leaves {
            None => events.next().await,
            Some(at) => tokio::select! {
                event = events.next() => event,
                () = sleep_until(at.into()) => return,
            },
        };
        match event {
            Event::Piece if record.first_token.is_none() => {
                record.first_token = Some(due.elapsed());
                if let Patience::Begin(wait) = patience {
                    leaves = Some(Instant::now() + wait);
                }
            }
            Event::Piece | Event::Usage(..) => {}
            Event::Done => return record.ending = Ending::Done,
            Event::Error(why) => return (record.ending, record.why) = (Ending::Error, why),
            Event::Broken(why) => return (record.ending, record.why) = (Ending::Broken, why),
        }
    }
}
