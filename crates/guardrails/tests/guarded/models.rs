//! What the tests put together.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use jarre_core::{
    BoxFuture, BoxStream, ChatChunk, ChatModel, ChatRequest, ChatResponse, ModelInfo, Result, future,
    testing::{ManualClock, ScriptedModel},
};
use jarre_guardrails::{
    Effect, Guard,
    guarded::{Guarded, GuardedConfig},
    pipeline::{Layer, Pipeline},
};
use pollster::block_on;

use crate::guards::{Of, pattern};

pub(crate) fn layer(guard: impl Guard + 'static) -> Layer {
    Layer::new(Arc::new(guard))
}

/// Puts `with` in the place of numbers.
pub(crate) fn numbers(with: &str) -> Of {
    pattern("numbers", "[0-9]{1,9}", Effect::Replace(with.into()))
}

/// Stops at the word.
pub(crate) fn stops_at(word: &'static str) -> Of {
    pattern("stops", word, Effect::Block)
}

pub(crate) fn pipeline(layers: impl IntoIterator<Item = Layer>) -> Pipeline {
    layers.into_iter().fold(Pipeline::new(Arc::new(ManualClock::new())), |pipeline, layer| pipeline.with_group([layer]))
}

pub(crate) fn guarded(model: ScriptedModel, layers: impl IntoIterator<Item = Layer>) -> Guarded<ScriptedModel> {
    Guarded::new(model, pipeline(layers), GuardedConfig::default())
}

pub(crate) fn collect(chunks: Vec<Result<ChatChunk>>) -> Result<ChatResponse> {
    block_on(ChatResponse::collect(future::iter(chunks)))
}

/// All that the model streams.
pub(crate) fn streamed(model: &dyn ChatModel, request: ChatRequest) -> Vec<Result<ChatChunk>> {
    let mut stream = block_on(model.stream(request)).unwrap();
    std::iter::from_fn(|| block_on(future::next(&mut stream))).collect()
}

/// Streams chunks, and tells how many were asked for and whether its stream is gone.
#[derive(Clone)]
pub(crate) struct Watched {
    info: ModelInfo,
    chunks: Vec<ChatChunk>,
    pub(crate) taken: Arc<AtomicUsize>,
    pub(crate) dropped: Arc<AtomicBool>,
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Watched {
    pub(crate) fn new(chunks: impl IntoIterator<Item = ChatChunk>) -> Self {
        let info = ModelInfo::new("jarre", "watched");
        Self { info, chunks: chunks.into_iter().collect(), taken: Arc::default(), dropped: Arc::default() }
    }
}

impl ChatModel for Watched {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, _: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        unreachable!("the answer is streamed")
    }

    fn stream(&self, _: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>> {
        let (taken, dropped) = (self.taken.clone(), Dropped(self.dropped.clone()));
        let chunks = self.chunks.clone().into_iter().map(move |chunk| {
            let _ = &dropped;
            taken.fetch_add(1, Ordering::Relaxed);
            Ok(chunk)
        });
        Box::pin(async move { Ok(future::iter(chunks)) })
    }
}
