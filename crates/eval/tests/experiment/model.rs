//! A model that counts what it is asked, and a rig around it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_core::{
    BoxFuture, ChatModel, ChatRequest, ChatResponse, Cost, Error, FinishReason, Message, ModelInfo, Price, Result, SystemClock, Timings,
    Usage,
};
use jarre_eval::{
    experiment::{Dataset, DatasetSpec, Experiment, Item, Method, MetricSpec, Prompting, Runner, Scoring},
    text::Extraction,
    track::{NewRun, RunId, Tracker},
};

type Answer = dyn Fn(&str, u32) -> Result<String> + Send + Sync;

/// Answers a question by a function of it and of how often it was asked before.
pub(crate) struct Model {
    info: ModelInfo,
    answer: Box<Answer>,
    pub(crate) asked: Mutex<BTreeMap<String, u32>>,
    pub(crate) requests: Mutex<Vec<ChatRequest>>,
    pub(crate) delay: Duration,
}

impl Model {
    pub(crate) fn new(answer: impl Fn(&str, u32) -> Result<String> + Send + Sync + 'static) -> Self {
        let price = Price::per_million(Cost::from_micros(1_000_000), Cost::from_micros(2_000_000));
        let info = ModelInfo::new("test", "model").with_price(price);
        Self { info, answer: Box::new(answer), asked: Mutex::default(), requests: Mutex::default(), delay: Duration::ZERO }
    }

    /// Repeats the question.
    pub(crate) fn echo() -> Self {
        Self::new(|question, _| Ok(question.to_owned()))
    }

    pub(crate) fn calls(&self) -> u32 {
        self.asked.lock().unwrap().values().sum()
    }

    fn reply(&self, request: &ChatRequest) -> Result<ChatResponse, Error> {
        let question = request.messages.last().expect("there is a question").text();
        let before = {
            let mut asked = self.asked.lock().unwrap();
            let count = asked.entry(question.clone()).or_default();
            *count += 1;
            *count - 1
        };
        self.requests.lock().unwrap().push(request.clone());
        let timings = Timings { time_to_first_token: Some(Duration::from_millis(3)), total: Duration::from_millis(10) };
        let answer = (self.answer)(&question, before)?;
        Ok(ChatResponse::new(Message::assistant(answer), FinishReason::Stop).with_usage(Usage::new(10, 5)).with_timings(timings))
    }
}

impl ChatModel for Model {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move {
            if !self.delay.is_zero() {
                tokio::time::sleep(self.delay).await;
            }
            self.reply(&request)
        })
    }
}

/// Items `q0`, `q1`, .. whose targets are themselves.
pub(crate) fn dataset(count: usize) -> Dataset {
    let items = (0..count).map(|index| {
        let question = format!("q{index}");
        let fields = [("question".to_owned(), question.clone().into())].into_iter().collect();
        Item { id: question.clone(), fields, target: Some(question), ..Item::default() }
    });
    Dataset { name: "questions".into(), items: items.collect(), seed: None }
}

pub(crate) fn tracker() -> Tracker {
    Tracker::open_in_memory(Arc::new(SystemClock::new())).unwrap()
}

pub(crate) fn task() -> Arc<Prompting> {
    Arc::new(Method::Naive.prompting(None, "{{question}}", None, std::path::Path::new(".")).unwrap())
}

pub(crate) fn scoring() -> Scoring {
    let metric: MetricSpec = serde_json::from_str("\"exact_match\"").unwrap();
    Scoring::new(Extraction::default(), &[metric])
}

pub(crate) fn runner(model: &Arc<Model>, tracker: &Tracker) -> Runner {
    Runner::new(model.clone(), task(), scoring(), tracker.clone())
}

pub(crate) fn new_run(tracker: &Tracker) -> RunId {
    tracker.create_run(&NewRun::new("experiment")).unwrap()
}

pub(crate) fn experiment(text: &str) -> jarre_eval::Result<Experiment> {
    Experiment::parse(text)
}

pub(crate) fn spec(toml: &str) -> DatasetSpec {
    toml::from_str(toml).unwrap()
}
