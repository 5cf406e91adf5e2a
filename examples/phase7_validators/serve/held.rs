use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use jarre_core::{BoxFuture, BoxStream, ChatChunk, ChatModel, ChatRequest, ChatResponse, Delta, ModelInfo, Result};
use prometheus_client::metrics::gauge::Gauge;

/// The bytes of one answer that came from the upstream, less those that went on: what the guards hold back. Where they replace something, it
/// is off by the difference of the lengths until the answer has ended.
#[derive(Clone)]
pub(super) struct Balance(Arc<Account>);

struct Account {
    bytes: AtomicI64,
    all: Gauge,
}

impl Balance {
    /// Counts in `all` as well, the sum of all answers.
    pub(super) fn new(all: Gauge) -> Self {
        Self(Arc::new(Account { bytes: AtomicI64::new(0), all }))
    }

    /// A model whose answers are added.
    pub(super) fn taking<M: ChatModel>(&self, model: M) -> Taking<M> {
        Taking { model, balance: self.clone() }
    }

    /// A stream whose pieces are taken away.
    pub(super) fn giving(&self, chunks: BoxStream<'static, Result<ChatChunk>>) -> BoxStream<'static, Result<ChatChunk>> {
        Box::pin(Counted { chunks, balance: self.clone(), sign: -1 })
    }

    fn add(&self, bytes: i64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.all.inc_by(bytes);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.all.dec_by(*self.bytes.get_mut());
    }
}

pub(super) struct Taking<M> {
    model: M,
    balance: Balance,
}

impl<M: ChatModel> ChatModel for Taking<M> {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move { ChatResponse::collect(self.stream(request).await?).await })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>> {
        Box::pin(async move {
            let chunks = self.model.stream(request).await?;
            Ok(Box::pin(Counted { chunks, balance: self.balance.clone(), sign: 1 }) as BoxStream<'static, _>)
        })
    }
}

struct Counted {
    chunks: BoxStream<'static, Result<ChatChunk>>,
    balance: Balance,
    sign: i64,
}

impl Stream for Counted {
    type Item = Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.chunks.as_mut().poll_next(context));
        if let Some(Ok(chunk)) = &next {
            self.balance.add(self.sign * length(chunk));
        }
        Poll::Ready(next)
    }
}

fn length(chunk: &ChatChunk) -> i64 {
    let bytes = chunk.deltas.iter().map(|delta| match delta {
        Delta::Text { text, .. } => text.len(),
        Delta::ToolCall { arguments, .. } => arguments.len(),
        _ => 0,
    });
    i64::try_from(bytes.sum::<usize>()).unwrap_or(i64::MAX)
}
