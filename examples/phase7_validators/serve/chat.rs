use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use jarre_core::{BoxStream, ChatChunk, ChatModel, ChatRequest, ChatResponse, RequestId};
use jarre_openai::{ApiError, ChatCompletion, ChatCompletionRequest};
use tokio::time::{Instant, timeout_at};

use super::events::{self, Head};
use super::failure::{Answer, Failure, defect, json};
use super::gate::Seat;
use super::heavy::heavy;
use super::held::Balance;
use super::ledger::Entry;
use super::{App, body, verdict, wire};

/// The name of an answer, under which the decision log knows it too.
const REQUEST_ID: &str = "x-request-id";

/// `POST /v1/chat/completions`.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let seat = app.gate.enter()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    heavy(bytes.len(), answer(&app, &bytes, seat)).await
}

async fn answer(app: &Arc<App>, bytes: &[u8], seat: Seat) -> Answer {
    let wire = ChatCompletionRequest::from_json(bytes)?;
    let id = app.ids.next("chatcmpl");
    let entry = app.ledger.enter(RequestId::from(id.as_str()));
    let deadline = Instant::now() + app.config.request_timeout;
    let request = wire::read(&wire)?.with_id(id.as_str()).with_timeout(&*app.clock, app.config.request_timeout);
    let call = Call { head: Head { id, asked: wire.model.clone(), created: seconds(app) }, include_usage: wire.wants_usage(), deadline };
    let mut response = if wire.stream {
        call.stream(app, request, entry, seat).await
    } else {
        let response = call.whole(app, request).await.unwrap_or_else(IntoResponse::into_response);
        marked(response, &entry)
    };
    response.headers_mut().insert(REQUEST_ID, HeaderValue::try_from(call.head.id).expect("the name is made of letters and digits"));
    Ok(response)
}

fn seconds(app: &App) -> u64 {
    u64::try_from(app.clock.timestamp().unix_micros() / 1_000_000).unwrap_or_default()
}

/// What is told of the guards in the head.
fn marked(mut response: Response, entry: &Entry) -> Response {
    response.headers_mut().insert(verdict::HEADER, entry.summary().header());
    response
}

/// A call of a client's.
struct Call {
    head: Head,
    include_usage: bool,
    deadline: Instant,
}

impl Call {
    async fn whole(&self, app: &App, request: ChatRequest) -> Answer {
        let balance = Balance::new(app.metrics.held.clone());
        let answer = async { ChatResponse::collect(self.open(app, request, &balance).await?).await };
        let answer = timeout_at(self.deadline, answer).await.map_err(|_| late())?;
        let mut answer = answer.map_err(|error| app.upstream.failure(&error))?;
        answer.id = None;
        answer.model = Some(app.upstream.name_of(&self.head.asked, answer.model.take()));
        Ok(json(&ChatCompletion::from_core(&answer, &self.head.id, &self.head.asked, self.head.created).map_err(|_| defect())?))
    }

    /// The answer as it comes. Where it fails before its first piece, it fails as a whole one does.
    async fn stream(&self, app: &Arc<App>, request: ChatRequest, entry: Entry, seat: Seat) -> Response {
        let balance = Balance::new(app.metrics.held.clone());
        let opened = match timeout_at(self.deadline, self.open(app, request, &balance)).await {
            Err(_) => Err(late()),
            Ok(opened) => opened.map_err(|error| app.upstream.failure(&error)),
        };
        match opened {
            Err(error) => marked(Failure(error).into_response(), &entry),
            Ok(chunks) => {
                let told = entry.summary().header();
                let parts = events::Parts { app: Arc::clone(app), chunks, entry, seat, deadline: self.deadline };
                let mut response = events::respond(parts, &self.head, self.include_usage);
                response.headers_mut().insert(verdict::HEADER, told);
                response
            }
        }
    }

    async fn open(
        &self,
        app: &App,
        request: ChatRequest,
        balance: &Balance,
    ) -> jarre_core::Result<BoxStream<'static, jarre_core::Result<ChatChunk>>> {
        let upstream = balance.taking(app.upstream.chat(&self.head.asked));
        let guarded = app.guarded(upstream);
        Ok(balance.giving(guarded.stream(request).await?))
    }
}

pub(super) fn late() -> ApiError {
    ApiError::new(504, "server_error", Some("timeout"), "the answer did not come in time")
}
