//! Each contract suite passes a correct implementation and fails one that breaks a sentence of the contract.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jarre_core::{
    BoxFuture, ChatChunk, ChatModel, ChatRequest, ChatResponse, Classification, ClassifierInfo, Clock, Embedder, EmbedderInfo, Embeddings,
    Error, ErrorKind, FinishReason, LabelScore, Message, MetricSink, ModelInfo, NullSink, Permission, Reranker, Result, Role,
    TextClassifier, Timestamp, TokenCounter, Tool, ToolContext, ToolOutput, ToolSpec, Usage,
    testing::{HashEmbedder, MemorySink, ScriptedModel, contract},
};
use pollster::block_on;
use serde_json::{Value, json};

/// The message that `suite` panics with, which has to hold `sentence`.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a suite speaks by panicking")]
fn fails(sentence: &str, suite: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(suite)).expect_err("the suite lets a wrong implementation pass");
    let message = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    let message = message.expect("a panic of `assert!` has a text");
    assert!(message.contains(sentence), "failed with {message:?} instead of {sentence:?}");
}

/// A model that counts up to the limits that it is given, with one flaw.
struct Counter {
    info: ModelInfo,
    flaw: &'static str,
}

impl Counter {
    fn new(flaw: &'static str) -> Self {
        Self { info: ModelInfo::new("jarre", "counter"), flaw }
    }

    fn answer(&self, request: &ChatRequest) -> Result<ChatResponse> {
        match self.info.check(request, Timestamp::UNIX_EPOCH) {
            Err(error) if error.kind() == ErrorKind::Timeout && self.flaw == "deadline" => {}
            Err(error) if error.kind() == ErrorKind::InvalidRequest && self.flaw == "capability" && !request.messages.is_empty() => {}
            checked => checked?,
        }
        let limit = if self.flaw == "max_tokens" { 5 } else { request.sampling.max_tokens.unwrap_or(5).min(5) };
        let all = ["one ", "two ", "three ", "four ", "five"][..limit as usize].concat();
        let stops = request.sampling.stop.iter().filter_map(|stop| all.find(stop.as_str()));
        let stop = stops.min().filter(|_| self.flaw != "stop");
        let reason = if limit < 5 && stop.is_none() { FinishReason::Length } else { FinishReason::Stop };
        let role = if self.flaw == "role" { Role::User } else { Role::Assistant };
        let message = Message::new(role, [jarre_core::Part::text(&all[..stop.unwrap_or(all.len())])]);
        Ok(ChatResponse::new(message, reason).with_usage(Usage::new(3, limit.into())))
    }
}

impl ChatModel for Counter {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move { self.answer(&request) })
    }
}

#[test]
fn a_chat_model() {
    block_on(contract::chat_model(&Counter::new("")));
    block_on(contract::chat_sampling(&Counter::new("")));
    let chat = |flaw| move || block_on(contract::chat_model(&Counter::new(flaw)));
    fails("chat refuses a request whose deadline has passed", chat("deadline"));
    fails("chat refuses a request that needs Images", chat("capability"));
    fails("the assistant answers", chat("role"));
    let sampling = |flaw| move || block_on(contract::chat_sampling(&Counter::new(flaw)));
    fails("the token limit is kept", sampling("max_tokens"));
    fails("the answer ends before the stop text", sampling("stop"));
}

#[test]
fn a_chat_model_that_streams() {
    let stream = |chunks: Vec<ChatChunk>| ScriptedModel::new().with_text("an answer").with_chunks(chunks.into_iter().map(Ok));
    let check = |model: ScriptedModel| move || block_on(contract::chat_model(&model));
    let done = || ChatChunk::finish(FinishReason::Stop);
    fails("the stream states its finish reason, once", check(stream(vec![ChatChunk::text("a")])));
    fails("the stream states its finish reason, once", check(stream(vec![ChatChunk::text("a"), done(), done()])));
    fails("the chunks fold to an answer", check(stream(vec![done(), ChatChunk::text("a")])));
    fails("a plain question is answered with text", check(stream(vec![done()])));
}

/// `HashEmbedder` with one flaw.
struct Flawed {
    inner: HashEmbedder,
    info: EmbedderInfo,
    flaw: &'static str,
}

impl Flawed {
    fn new(flaw: &'static str) -> Self {
        let inner = HashEmbedder::default();
        let mut info = inner.info().clone();
        if flaw == "truncation" {
            info.max_tokens /= 2;
        }
        Self { inner, info, flaw }
    }
}

impl Embedder for Flawed {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    fn embed(&self, texts: &[&str]) -> Result<Embeddings> {
        let mut texts = texts.to_vec();
        match self.flaw {
            "order" => texts.reverse(),
            "empty text" => texts.retain(|text| !text.is_empty()),
            "constant" => texts.fill("the same"),
            _ => {}
        }
        let mut values = self.inner.embed(&texts)?.into_vec();
        match self.flaw {
            "batch" => values = values.iter().enumerate().map(|(at, value)| value + at as f32 / 1e4).collect(),
            "nan" => values.fill(f32::NAN),
            _ => {}
        }
        Embeddings::new(self.info.dims, values)
    }
}

impl TokenCounter for Flawed {
    fn token_spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans = self.inner.token_spans(text);
        match self.flaw {
            "order" => spans.reverse(),
            "lost" => drop(spans.drain(..spans.len().min(1))),
            "boundary" => spans = (0..text.len()).map(|at| at..at + 1).collect(),
            _ => {}
        }
        spans
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.token_spans(text).len() + usize::from(self.flaw == "special" && !text.is_empty()) * 2
    }
}

impl Reranker for Flawed {
    fn name(&self) -> &'static str {
        "flawed"
    }

    fn score(&self, query: &str, candidates: &[&str]) -> Result<Vec<f32>> {
        let mut scores = self.inner.score(query, candidates)?;
        match self.flaw {
            "distance" => scores = scores.iter().map(|score| 1.0 - score).collect(),
            "order" => scores.sort_by(|a, b| b.total_cmp(a)),
            "batch" => scores = scores.iter().map(|score| score / candidates.len() as f32).collect(),
            _ => {}
        }
        Ok(scores)
    }
}

#[test]
fn an_embedder() {
    contract::embedder(&Flawed::new(""));
    let check = |flaw| move || contract::embedder(&Flawed::new(flaw));
    fails("a text's vector does not depend on the batch", check("batch"));
    fails("a text's vector does not depend on the batch", check("order"));
    fails("every text gets one row", check("empty text"));
    fails("texts of different meaning get different vectors", check("constant"));
    fails("every value is a finite number", check("nan"));
    fails("what follows `max_tokens` is cut off", check("truncation"));
}

#[test]
fn a_token_counter() {
    contract::token_counter(&Flawed::new(""));
    let check = |flaw| move || contract::token_counter(&Flawed::new(flaw));
    fails("spans are in order", check("order"));
    fails("as many tokens are counted as are placed", check("special"));
    fails("spans lie on character boundaries", check("boundary"));
    fails("letters and digits belong to tokens", check("lost"));
}

#[test]
fn a_reranker() {
    contract::reranker(&Flawed::new(""));
    let check = |flaw| move || contract::reranker(&Flawed::new(flaw));
    fails("higher is more relevant", check("distance"));
    fails("higher is more relevant", check("order"));
    fails("a candidate's score does not depend on the others", check("batch"));
}

struct Constant(ClassifierInfo, Vec<LabelScore>);

impl TextClassifier for Constant {
    fn info(&self) -> &ClassifierInfo {
        &self.0
    }

    fn classify(&self, texts: &[&str]) -> Result<Vec<Classification>> {
        Ok(texts.iter().map(|_| Classification::new(self.1.clone())).collect())
    }
}

#[test]
fn a_text_classifier() {
    let check = |multi_label, scores: [(&'static str, f32); 2]| {
        let info = ClassifierInfo { name: "constant".into(), labels: vec!["a".into(), "b".into()], multi_label };
        move || contract::text_classifier(&Constant(info, scores.map(|(label, score)| LabelScore::new(label, score)).into()))
    };
    check(false, [("a", 0.25), ("b", 0.75)])();
    check(true, [("a", 0.75), ("b", 0.75)])();
    fails("sum to 1", check(false, [("a", 0.75), ("b", 0.75)]));
    fails("scores are probabilities", check(false, [("a", 2.0), ("b", -1.0)]));
    fails("in the order of `info`", check(true, [("b", 0.25), ("a", 0.75)]));
}

struct FlawedTool {
    spec: ToolSpec,
    calls: AtomicU64,
    flaw: &'static str,
}

impl Tool for FlawedTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, arguments: Value, _context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>> {
        Box::pin(async move {
            let checks = if self.flaw == "lenient" { arguments.is_object() } else { arguments["path"].is_string() };
            if !checks {
                return Err(Error::new(ErrorKind::InvalidRequest, "the path is missing"));
            }
            let calls = self.calls.fetch_add(1, Ordering::Relaxed);
            Ok(ToolOutput::new(if self.flaw == "twice" { calls.to_string() } else { "done".into() }))
        })
    }
}

#[test]
fn a_tool() {
    let check = |name: &str, flaw| {
        let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
        let tool = FlawedTool { spec: ToolSpec::new(name, "deletes a file", schema, Permission::Write), calls: AtomicU64::new(0), flaw };
        move || block_on(contract::tool(&tool, &json!({"path": "a"})))
    };
    check("delete", "")();
    fails("the tool refuses arguments that lack what the schema requires", check("delete", "lenient"));
    fails("a call with the key of an earlier one gives its output", check("delete", "twice"));
    fails("every provider takes the name", check("delete file", ""));
}

/// A clock that goes back now and then, or stands still.
struct Broken(AtomicU64, u64);

impl Clock for Broken {
    fn now(&self) -> Duration {
        let reads = self.0.fetch_add(self.1, Ordering::Relaxed);
        Duration::from_millis(if reads % 100 == 99 { reads - 50 } else { reads * 10 })
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.saturating_add(self.now())
    }
}

#[test]
fn a_clock() {
    fails("the clock never goes back", || contract::clock(&Broken(AtomicU64::new(0), 1), |_| {}));
    fails("time that has passed has passed on the clock", || contract::clock(&Broken(AtomicU64::new(0), 0), |_| {}));
}

/// A sink that keeps every point, as a log does, or only finite ones.
#[derive(Default)]
struct Log(Mutex<Vec<(String, u64, f64)>>);

impl MetricSink for Log {
    fn scalar(&self, name: &str, step: u64, value: f64) -> Result<()> {
        self.0.lock().unwrap().push((name.into(), step, value));
        Ok(())
    }

    fn param(&self, _name: &str, _value: &Value) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_metric_sink() {
    let log = Log::default();
    let points = |name: &str| {
        let mut of_name: Vec<(u64, f64)> = log.0.lock().unwrap().iter().filter(|(of, ..)| of == name).map(|&(_, at, x)| (at, x)).collect();
        of_name.sort_by_key(|&(step, _)| step);
        of_name
    };
    fails("a repeated one replaces its value", || contract::metric_sink(&log, points, |_| None));

    let sink = MemorySink::new();
    let finite =
        |name: &str| sink.scalars(name).into_iter().map(|(step, value)| (step, if value.is_finite() { value } else { 0.0 })).collect();
    fails("NaN and infinities are kept", || contract::metric_sink(&sink, finite, |name| sink.param(name)));
    fails("steps come in any order", || contract::metric_sink(&NullSink, |_| Vec::new(), |_| None));
}

/// The first chunk of a stream, asked for through `M` itself.
fn first_chunk<M: ChatModel>(model: M) -> ChatChunk {
    let mut stream = block_on(model.stream(ChatRequest::user("hi"))).unwrap();
    block_on(jarre_core::future::next(&mut stream)).unwrap().unwrap()
}

fn dims<E: Embedder + Reranker + TokenCounter>(embedder: E) -> usize {
    embedder.info().dims
}

#[test]
fn pointers_are_what_they_point_to() {
    let flawed = Flawed::new("special");
    let counter: Box<dyn TokenCounter> = Box::new(&flawed);
    assert_eq!(counter.count_tokens("word"), 3, "an overridden default method is forwarded");

    let pieces = || [Ok(ChatChunk::text("in ")), Ok(ChatChunk::text("pieces")), Ok(ChatChunk::finish(FinishReason::Stop))];
    let model: Arc<dyn ChatModel> = Arc::new(ScriptedModel::new().with_chunks(pieces()).with_chunks(pieces()));
    assert_eq!(first_chunk(&model), ChatChunk::text("in "), "so is `stream`");
    assert_eq!(first_chunk(model), ChatChunk::text("in "), "so is `stream`");
    assert_eq!([dims(Box::new(HashEmbedder::default())), dims(Arc::new(HashEmbedder::default()))], [256; 2]);
}
