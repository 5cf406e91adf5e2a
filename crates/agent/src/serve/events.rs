use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use futures_core::Stream;
use jarre_core::{BoxStream, future};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::app::App;
use super::failure::{Answer, Failure};
use super::run::forms;
use super::session::Session;
use crate::view::{Forms, HtmlOptions, Part, Story, one_step, part, step_id};
use crate::{Record, Result};

/// How long records are gathered before they are told of: what comes at once is drawn once.
const GATHER: Duration = Duration::from_millis(40);
/// Records that are gathered at most.
const MOST_RECORDS: usize = 256;
/// Events that wait for a reader at most; nothing is drawn for one that is further behind.
const AHEAD: usize = 2;

#[derive(Deserialize)]
pub(super) struct Beginning {
    from: Option<u64>,
}

/// What changes on the page of a run, as server-sent events (HTML standard, section 9.2). The id of an event is the number of the last record
/// that it tells of, so that a reader that comes back goes on where it was.
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    Path(run): Path<String>,
    Query(Beginning { from }): Query<Beginning>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Answer {
    let Ok(seat) = Arc::clone(&app.followers).try_acquire_owned() else {
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too many pages follow runs; close some and try again"));
    };
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let from = seen.map(|seen| seen.saturating_add(1)).or(from).unwrap_or(0);
    let forms = forms(&app, &run, &session);
    let follower = app.aside(move |app| Box::pin(async move { Follower::new(&app, &run, from, forms).await })).await?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        follower.run(&app, &sender).await;
        drop(seat);
    });
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, [("x-accel-buffering", "no")], Body::from_stream(Events(receiver))).into_response())
}

/// A page that follows a run.
struct Follower {
    story: Story,
    records: BoxStream<'static, Result<Record>>,
    options: HtmlOptions,
    forms: Forms,
    /// What the page shows of each part.
    shown: Vec<String>,
}

impl Follower {
    async fn new(app: &App, run: &str, from: u64, forms: Forms) -> Answer<Self> {
        let records = app.runs.records(run, 0).await?;
        if records.is_empty() {
            return Err(Failure::no_run(run));
        }
        let story = Story::of(records.iter().filter(|record| record.seq < from));
        let options = app.html_options();
        let shown = Part::ALL.map(|shown| part(shown, &story, &options, Some(&forms)).into_string()).to_vec();
        let records = app.runs.follow(run, story.next).await?;
        Ok(Self { story, records, options, forms, shown })
    }

    /// Tells of the run until it is over, nobody listens, or the dashboard stops.
    async fn run(mut self, app: &App, sender: &mpsc::Sender<String>) {
        let mut stopping = app.stopping.clone();
        // Soon after it was cut off, a reader may come back.
        let mut event = "retry: 1000\n\n".to_owned();
        loop {
            if sender.send(event).await.is_err() {
                return;
            }
            if self.story.outcome.is_some() {
                // A reader that does not listen any more needs no end.
                let _ = sender.send("event: end\ndata:\n\n".to_owned()).await;
                return;
            }
            event = tokio::select! {
                () = sender.closed() => return,
                _ = stopping.wait_for(|stopping| *stopping) => return,
                told = timeout(app.config.keep_alive, self.next()) => match told {
                    Ok(Some(event)) => event,
                    Ok(None) => return,
                    Err(_) => ": keep-alive\n\n".to_owned(),
                },
            };
        }
    }

    /// The event that tells of the next records; `None` where there will be none.
    async fn next(&mut self) -> Option<String> {
        let first = future::next(&mut self.records).await?;
        let mut changed = BTreeSet::new();
        self.take(first, &mut changed)?;
        for _ in 1..MOST_RECORDS {
            match timeout(GATHER, future::next(&mut self.records)).await {
                Ok(Some(record)) => self.take(record, &mut changed)?,
                Ok(None) | Err(_) => break,
            }
        }
        Some(self.event(&changed))
    }

    fn take(&mut self, record: Result<Record>, changed: &mut BTreeSet<usize>) -> Option<()> {
        match record {
            Ok(record) => changed.extend(self.story.push(&record)),
            Err(error) => {
                tracing::warn!(%error, "a run can no longer be followed");
                return None;
            }
        }
        Some(())
    }

    fn event(&mut self, changed: &BTreeSet<usize>) -> String {
        let mut parts: Vec<(String, String)> = Vec::new();
        for (shown, before) in Part::ALL.into_iter().zip(&mut self.shown) {
            let now = part(shown, &self.story, &self.options, Some(&self.forms)).into_string();
            if now != *before {
                before.clone_from(&now);
                parts.push((shown.id().to_owned(), now));
            }
        }
        parts.extend(changed.iter().map(|place| (step_id(*place), one_step(&self.story, *place, &self.options).into_string())));
        // JSON has no line breaks, which would end the field.
        let data = serde_json::to_string(&parts).unwrap_or_default();
        format!("id: {}\nevent: parts\ndata: {data}\n\n", self.story.next.saturating_sub(1))
    }
}

struct Events(mpsc::Receiver<String>);

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(event.into())))
    }
}
