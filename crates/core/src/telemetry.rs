//! Names of the OpenTelemetry semantic conventions for generative AI, so that every crate's spans and metrics read alike.
//!
//! The conventions (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>) have the status *development*: a name that changes upstream
//! is changed here and nowhere else. Texts of prompts and answers are personal data; record them only where the operator asks for it.
//!
//! ```
//! use jarre_core::telemetry::{operation, span_name};
//!
//! assert_eq!(span_name(operation::CHAT, "llama-3.2-1b"), "chat llama-3.2-1b");
//! ```

/// The name of a span: the operation and what it is done with (the model, the agent, the tool, the data source).
pub fn span_name(operation: &str, target: &str) -> String {
    if target.is_empty() { operation.into() } else { format!("{operation} {target}") }
}

/// Values of [`attribute::OPERATION_NAME`], and first words of span names.
pub mod operation {
    /// A chat model answers.
    pub const CHAT: &str = "chat";
    /// A model continues a text.
    pub const TEXT_COMPLETION: &str = "text_completion";
    /// A model turns texts into vectors.
    pub const EMBEDDINGS: &str = "embeddings";
    /// An index is searched.
    pub const RETRIEVAL: &str = "retrieval";
    /// A tool is called.
    pub const EXECUTE_TOOL: &str = "execute_tool";
    /// An agent works.
    pub const INVOKE_AGENT: &str = "invoke_agent";
}

/// Values of [`attribute::PROVIDER_NAME`] that the conventions name; others are allowed.
pub mod provider {
    /// Anthropic.
    pub const ANTHROPIC: &str = "anthropic";
    /// Amazon Bedrock.
    pub const AWS_BEDROCK: &str = "aws.bedrock";
    /// Azure `OpenAI`.
    pub const AZURE_OPENAI: &str = "azure.ai.openai";
    /// `DeepSeek`.
    pub const DEEPSEEK: &str = "deepseek";
    /// Gemini, over the AI Studio API.
    pub const GEMINI: &str = "gcp.gemini";
    /// Groq.
    pub const GROQ: &str = "groq";
    /// Mistral AI.
    pub const MISTRAL_AI: &str = "mistral_ai";
    /// `OpenAI`, or a server whose make is unknown that speaks its API.
    pub const OPENAI: &str = "openai";
    /// Vertex AI.
    pub const VERTEX_AI: &str = "gcp.vertex_ai";
}

/// Names of attributes of spans and metrics.
pub mod attribute {
    /// What is done: a value of [`operation`](super::operation).
    pub const OPERATION_NAME: &str = "gen_ai.operation.name";
    /// Who runs the model: a value of [`provider`](super::provider).
    pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
    /// The conversation that the operation belongs to.
    pub const CONVERSATION_ID: &str = "gen_ai.conversation.id";
    /// A short name of the failure, such as an [`ErrorKind`](crate::ErrorKind); absent on success.
    pub const ERROR_TYPE: &str = "error.type";
    /// Host of the other side.
    pub const SERVER_ADDRESS: &str = "server.address";
    /// Port of the other side.
    pub const SERVER_PORT: &str = "server.port";

    /// The model that was asked.
    pub const REQUEST_MODEL: &str = "gen_ai.request.model";
    /// The frequency penalty.
    pub const REQUEST_FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";
    /// The token limit.
    pub const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
    /// The presence penalty.
    pub const REQUEST_PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";
    /// The seed.
    pub const REQUEST_SEED: &str = "gen_ai.request.seed";
    /// The stop texts.
    pub const REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
    /// The temperature.
    pub const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
    /// Top-k.
    pub const REQUEST_TOP_K: &str = "gen_ai.request.top_k";
    /// Top-p.
    pub const REQUEST_TOP_P: &str = "gen_ai.request.top_p";

    /// The provider's name for the answer.
    pub const RESPONSE_ID: &str = "gen_ai.response.id";
    /// The model that answered.
    pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
    /// Why each answer ended.
    pub const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
    /// What was asked for: `text`, `json`, `image` or `speech`.
    pub const OUTPUT_TYPE: &str = "gen_ai.output.type";

    /// Prompt tokens, cached ones included.
    pub const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
    /// Completion tokens.
    pub const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
    /// Prompt tokens that came from a cache.
    pub const USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
    /// On [`metric::CLIENT_TOKEN_USAGE`](super::metric::CLIENT_TOKEN_USAGE): `input` or `output`.
    pub const TOKEN_TYPE: &str = "gen_ai.token.type";

    /// The instructions above the conversation; personal data.
    pub const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
    /// The conversation that was sent; personal data.
    pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
    /// The answers; personal data.
    pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";

    /// Length of the vectors.
    pub const EMBEDDINGS_DIMENSION_COUNT: &str = "gen_ai.embeddings.dimension.count";
    /// The index that was searched.
    pub const DATA_SOURCE_ID: &str = "gen_ai.data_source.id";
    /// The query; personal data.
    pub const RETRIEVAL_QUERY_TEXT: &str = "gen_ai.retrieval.query.text";
    /// Ids and scores of what was found.
    pub const RETRIEVAL_DOCUMENTS: &str = "gen_ai.retrieval.documents";

    /// The tool's name.
    pub const TOOL_NAME: &str = "gen_ai.tool.name";
    /// What the tool does.
    pub const TOOL_DESCRIPTION: &str = "gen_ai.tool.description";
    /// The tool call's id.
    pub const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
    /// The arguments; personal data.
    pub const TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
    /// The result; personal data.
    pub const TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";

    /// The agent's id.
    pub const AGENT_ID: &str = "gen_ai.agent.id";
    /// The agent's name.
    pub const AGENT_NAME: &str = "gen_ai.agent.name";

    /// The metric that an answer was judged by.
    pub const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
    /// The judgement as a number.
    pub const EVALUATION_SCORE_VALUE: &str = "gen_ai.evaluation.score.value";
}

/// Names of metrics; all are histograms.
pub mod metric {
    /// Tokens of one call, by [`attribute::TOKEN_TYPE`](super::attribute::TOKEN_TYPE), in `{token}`.
    pub const CLIENT_TOKEN_USAGE: &str = "gen_ai.client.token.usage";
    /// Time of one call as its caller sees it, in seconds.
    pub const CLIENT_OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
    /// Time from the call to its first chunk, in seconds.
    pub const CLIENT_TIME_TO_FIRST_CHUNK: &str = "gen_ai.client.operation.time_to_first_chunk";
    /// Time from chunk to chunk after the first, in seconds.
    pub const CLIENT_TIME_PER_OUTPUT_CHUNK: &str = "gen_ai.client.operation.time_per_output_chunk";
    /// Time of one request as the model server sees it, in seconds.
    pub const SERVER_REQUEST_DURATION: &str = "gen_ai.server.request.duration";
    /// Time to the first token (TTFT), in seconds.
    pub const SERVER_TIME_TO_FIRST_TOKEN: &str = "gen_ai.server.time_to_first_token";
    /// Time per token after the first (TPOT), in seconds.
    pub const SERVER_TIME_PER_OUTPUT_TOKEN: &str = "gen_ai.server.time_per_output_token";
}
