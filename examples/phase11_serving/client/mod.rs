//! A client that measures: it sends what it is told to, once, and says when each thing came.

mod events;
mod metrics;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jarre_openai::{CompletionRequest, ModelList, Prompt, SamplingParams, StreamOptions};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

pub(crate) use self::events::{Event, Events};
pub(crate) use self::metrics::Metrics;

/// How long a server may say nothing. While an answer waits, servers send comments now and then.
const SILENCE: Duration = Duration::from_mins(2);

/// A server of `OpenAI`'s API, and how it is asked.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    model: String,
    max_len: Option<usize>,
    takes_ids: bool,
}

/// What a request led to.
pub(crate) enum Reply {
    /// An answer comes.
    Stream(Box<Events>),
    /// Another status, and the body.
    Refused(u16, String),
}

impl Client {
    /// Asks the server at `url` for its model, and whether prompts may be token ids. Each request gets a connection of its own, as those
    /// of many users have.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let base = url.trim_end_matches('/').trim_end_matches("/v1").to_owned();
        let http = reqwest::Client::builder()
            .default_headers(headers()?)
            .pool_max_idle_per_host(0)
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let mut client = Self { http, base, model: String::new(), max_len: None, takes_ids: true };
        let models: ModelList = serde_json::from_str(&client.get("/v1/models").await?).context("the list of models cannot be read")?;
        let model = models.data.into_iter().next().context("the server has no model")?;
        client.model = model.id;
        client.max_len = model.max_model_len.map(|tokens| tokens as usize);
        client.probe().await?;
        Ok(client)
    }

    /// Finds out how prompts are taken, with a short one that warms the server up as well.
    async fn probe(&mut self) -> Result<()> {
        for takes_ids in [true, false] {
            self.takes_ids = takes_ids;
            match self.send(self.completion(&[1; 8], 2)?).await? {
                Reply::Stream(mut events) => {
                    while !events.next().await.is_last() {}
                    return Ok(());
                }
                Reply::Refused(400 | 422, _) if takes_ids => {}
                Reply::Refused(status, body) => bail!("the server answers a completion with {status}: {body}"),
            }
        }
        Ok(())
    }

    /// Tokens of prompt and answer together at most, where the server tells.
    pub(crate) fn max_len(&self) -> Option<usize> {
        self.max_len
    }

    /// The body of a request for a streamed answer of exactly `output` tokens.
    pub(crate) fn completion(&self, prompt: &[u32], output: usize) -> Result<Vec<u8>> {
        let prompt = if self.takes_ids { Prompt::Tokens(prompt.to_vec()) } else { Prompt::Text(words(prompt)) };
        let mut request = CompletionRequest::new(&self.model, prompt);
        let max_tokens = Some(u32::try_from(output).context("an answer is too long")?);
        request.sampling = SamplingParams { temperature: Some(0.0), max_tokens, ignore_eos: Some(true), ..SamplingParams::default() };
        request.stream = true;
        request.stream_options = Some(StreamOptions { include_usage: true });
        Ok(serde_json::to_vec(&request)?)
    }

    /// Sends a body for `/v1/completions`, and waits for the head of the answer.
    pub(crate) async fn send(&self, body: Vec<u8>) -> Result<Reply, reqwest::Error> {
        let response = self.http.post(format!("{}/v1/completions", self.base)).body(body).send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Reply::Stream(Box::new(Events::new(response))));
        }
        // What stands in the body is for people; that it broke off changes nothing about the status.
        Ok(Reply::Refused(status.as_u16(), response.text().await.unwrap_or_default()))
    }

    /// What the server counts.
    pub(crate) async fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&self.get("/metrics").await?))
    }

    async fn get(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.base);
        let response = self.http.get(&url).send().await.with_context(|| format!("cannot ask {url}"))?;
        let status = response.status();
        let body = response.text().await?;
        ensure!(status.is_success(), "{url} answers {status}: {body}");
        Ok(body)
    }
}

/// The key is taken from the environment, so that it stands in no list of processes. Of several, which a server may have, the first.
fn headers() -> Result<HeaderMap> {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    if let Ok(keys) = std::env::var("JARRE_API_KEY") {
        let key = keys.split(',').next().unwrap_or_default();
        let mut value = HeaderValue::try_from(format!("Bearer {key}")).ok().context("JARRE_API_KEY is no text that a header can hold")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// About as many tokens of text, the same for the same ids.
fn words(prompt: &[u32]) -> String {
    const WORDS: [&str; 32] = [
        "the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "with", "on", "be", "by", "this", "are", "or", "an", "from", "at",
        "not", "but", "all", "can", "one", "time", "use", "new", "more", "set", "if", "when",
    ];
    let words: Vec<&str> = prompt.iter().map(|&id| WORDS[id as usize % WORDS.len()]).collect();
    words.join(" ")
}
