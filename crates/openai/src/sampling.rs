use std::{collections::BTreeMap, ops::Bound};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    Result,
    decode::{Fields, Node},
    structured::StructuredOutputs,
};

/// The most choices that one request may ask for.
pub const MAX_CHOICES: u32 = 128;
/// The most stop texts of a request.
pub const MAX_STOPS: usize = 32;
/// The most alternatives whose log probabilities a request may ask for at each token.
pub const MAX_LOGPROBS: u32 = 20;

/// How tokens are chosen and how many: the fields that chat completions and completions share, vLLM's among them. `None` and empty
/// collections leave a parameter to the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SamplingParams {
    /// Divides the logits, in [0, 2]; 0 always takes the likeliest token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Keeps the likeliest tokens that together reach this probability, in (0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Keeps that many of the likeliest tokens (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<TopK>,
    /// Keeps tokens at least this fraction as likely as the likeliest, in [0, 1] (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    /// Holds the surprise of what is written at a level, by mirostat 2.0 (llama.cpp's `mirostat`, `mirostat_tau` and `mirostat_eta`).
    #[serde(flatten)]
    pub mirostat: Option<Mirostat>,
    /// Makes sampling repeatable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// How many answers to give, from 1 to [`MAX_CHOICES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// Texts that end the answer, none empty, at most [`MAX_STOPS`]. On the wire one of them may stand without its list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Tokens that end the answer (vLLM).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_token_ids: Vec<u32>,
    /// Whether a stop text is part of the answer (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_stop_str_in_output: Option<bool>,
    /// The most tokens that are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The fewest tokens that are written before the answer may end by itself, at most `max_tokens` (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_tokens: Option<u32>,
    /// Whether to go on past the model's own end (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_eos: Option<bool>,
    /// Whether special tokens are left out of the text; so they are by default (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_special_tokens: Option<bool>,
    /// Taken from the logit of each token that was written already, in [-2, 2].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f32>,
    /// Taken from the logit of a token once for each time it was written already, in [-2, 2].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f32>,
    /// Divides positive and multiplies negative logits of tokens of prompt and answer, above 0 (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f32>,
    /// Added to the logits of tokens by their ids, in [-100, 100].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub logit_bias: BTreeMap<u32, f32>,
    /// The only tokens that may be written; not empty (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_token_ids: Option<Vec<u32>>,
    /// Texts that must not be written, none empty (vLLM).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bad_words: Vec<String>,
    /// What the text has to keep to (vLLM). The older `guided_json`, `guided_regex`, `guided_choice` and `guided_grammar` are read as
    /// this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_outputs: Option<StructuredOutputs>,
    /// Log probabilities of the prompt's tokens and of that many alternatives, at most [`MAX_LOGPROBS`]; not in streams (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_logprobs: Option<u32>,
    /// Requests of a smaller number are served first; 0 where absent (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Keeps the request's cached prefixes apart from those of requests with another salt; not empty (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_salt: Option<String>,
}

/// Mirostat 2.0 (arXiv 2007.14966): `mirostat` is 2 on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mirostat {
    /// The surprise aimed at, in bits a token, above 0; 5 where it is not given.
    pub tau: f32,
    /// How fast the limit follows, in (0, 1]; 0.1 where it is not given.
    pub eta: f32,
}

impl Mirostat {
    fn take(fields: &mut Fields) -> Result<Option<Self>> {
        let version = fields.optional("mirostat", |node| node.unsigned(0..=2))?;
        if version == Some(1) {
            return Err(fields.invalid("mirostat", "must be 0 or 2: version 1 is not supported"));
        }
        let tau = fields.optional("mirostat_tau", |node| node.number((Bound::Excluded(0.0), Bound::Unbounded)))?;
        let eta = fields.optional("mirostat_eta", |node| node.number((Bound::Excluded(0.0), Bound::Included(1.0))))?;
        Ok((version == Some(2)).then(|| Self { tau: tau.unwrap_or(5.0), eta: eta.unwrap_or(0.1) }))
    }
}

impl Serialize for Mirostat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Mirostat", 3)?;
        fields.serialize_field("mirostat", &2)?;
        fields.serialize_field("mirostat_tau", &self.tau)?;
        fields.serialize_field("mirostat_eta", &self.eta)?;
        fields.end()
    }
}

/// How many of the likeliest tokens are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopK {
    /// All of them: -1 on the wire, where 0 is read as well.
    All,
    /// That many.
    Likeliest(u32),
}

impl Serialize for TopK {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_i64(-1),
            Self::Likeliest(count) => serializer.serialize_u32(*count),
        }
    }
}

impl SamplingParams {
    pub(crate) fn read(fields: &mut Fields) -> Result<Self> {
        let mut params = Self { n: fields.optional("n", |node| node.unsigned(1..=MAX_CHOICES))?, ..Self::default() };
        params.read_distribution(fields)?;
        params.read_ends(fields)?;
        params.read_tokens(fields)?;
        params.structured_outputs = StructuredOutputs::take(fields)?;
        params.prompt_logprobs = fields.optional("prompt_logprobs", |node| node.unsigned(0..=MAX_LOGPROBS))?;
        params.priority = fields.optional("priority", priority)?;
        params.cache_salt = fields.optional("cache_salt", Node::non_empty_string)?;
        Ok(params)
    }

    fn read_distribution(&mut self, fields: &mut Fields) -> Result<()> {
        let above = |low| (Bound::Excluded(low), Bound::Unbounded);
        self.temperature = fields.optional("temperature", |node| node.number(0.0..=2.0))?;
        self.top_p = fields.optional("top_p", |node| node.number((Bound::Excluded(0.0), Bound::Included(1.0))))?;
        self.top_k = fields.optional("top_k", top_k)?;
        self.min_p = fields.optional("min_p", |node| node.number(0.0..=1.0))?;
        self.mirostat = Mirostat::take(fields)?;
        self.seed = fields.optional("seed", |node| node.integer(i64::MIN..=i64::MAX))?;
        self.presence_penalty = fields.optional("presence_penalty", |node| node.number(-2.0..=2.0))?;
        self.frequency_penalty = fields.optional("frequency_penalty", |node| node.number(-2.0..=2.0))?;
        self.repetition_penalty = fields.optional("repetition_penalty", |node| node.number(above(0.0)))?;
        Ok(())
    }

    fn read_ends(&mut self, fields: &mut Fields) -> Result<()> {
        self.stop = fields.optional("stop", stops)?.unwrap_or_default();
        self.stop_token_ids = fields.optional("stop_token_ids", |node| node.list(Node::token_id))?.unwrap_or_default();
        self.include_stop_str_in_output = fields.optional("include_stop_str_in_output", Node::boolean)?;
        self.max_tokens = fields.optional("max_tokens", |node| node.unsigned(1..=u32::MAX))?;
        self.min_tokens = fields.optional("min_tokens", |node| node.unsigned(0..=u32::MAX))?;
        self.ignore_eos = fields.optional("ignore_eos", Node::boolean)?;
        self.skip_special_tokens = fields.optional("skip_special_tokens", Node::boolean)?;
        Ok(())
    }

    fn read_tokens(&mut self, fields: &mut Fields) -> Result<()> {
        self.logit_bias = fields.optional("logit_bias", logit_bias)?.unwrap_or_default();
        self.allowed_token_ids = fields.optional("allowed_token_ids", |node| node.non_empty_list(Node::token_id))?;
        self.bad_words = fields.optional("bad_words", |node| node.list(Node::non_empty_string))?.unwrap_or_default();
        Ok(())
    }

    /// What no field can tell by itself; `limit` is how many tokens are written at most.
    pub(crate) fn check(&self, fields: &Fields, limit: Option<u32>, stream: bool) -> Result<()> {
        if self.min_tokens.zip(limit).is_some_and(|(min, max)| min > max) {
            return Err(fields.invalid("min_tokens", "must not be above the most tokens that are written"));
        }
        if stream && self.prompt_logprobs.is_some() {
            return Err(fields.invalid("prompt_logprobs", "cannot be streamed, leave out 'stream'"));
        }
        Ok(())
    }
}

fn top_k(node: Node) -> Result<TopK> {
    Ok(match node.integer(-1..=i64::from(u32::MAX))? {
        ..=0 => TopK::All,
        count => TopK::Likeliest(u32::try_from(count).expect("the range ends there")),
    })
}

fn priority(node: Node) -> Result<i32> {
    let number = node.integer(i64::from(i32::MIN)..=i64::from(i32::MAX))?;
    Ok(i32::try_from(number).expect("the range is one of i32"))
}

fn stops(node: Node) -> Result<Vec<String>> {
    if node.is_string() {
        return Ok(vec![node.non_empty_string()?]);
    }
    node.bounded_list(MAX_STOPS, Node::non_empty_string)
}

fn logit_bias(node: Node) -> Result<BTreeMap<u32, f32>> {
    let entries = node.entries(|key, node| {
        // "07" would be a second name of the token 7.
        let id = key.parse::<u32>().ok().filter(|id| id.to_string() == key);
        let id = id.ok_or_else(|| node.invalid("must be named by the id of a token"))?;
        Ok((id, node.number(-100.0..=100.0)?))
    })?;
    Ok(entries.into_iter().collect())
}
