use std::{fmt, sync::Arc, time::Duration};

use jarre_core::{Clock, SystemClock};

use crate::{ApiKey, RetryPolicy};

/// Where a provider is, and how it is spoken to.
///
/// ```
/// use jarre_providers::{ApiKey, Dialect, EndpointConfig};
///
/// let local = EndpointConfig::new("http://127.0.0.1:8000/v1").with_dialect(Dialect::Extended);
/// let hosted = EndpointConfig::new("https://api.openai.com/v1").with_api_key(ApiKey::new("sk-secret")?);
/// assert!(!format!("{hosted:?}").contains("secret"));
/// # let _ = local;
/// # Ok::<(), jarre_core::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct EndpointConfig {
    /// The address that paths as `/chat/completions` are appended to, of `http` or `https`, without a user, a query or a fragment.
    pub base_url: String,
    /// What the provider knows the caller by.
    pub api_key: Option<ApiKey>,
    /// Who pays, where a key is good for several: the header `OpenAI-Organization`.
    pub organization: Option<String>,
    /// Who runs the models, for [`ModelInfo::provider`](jarre_core::ModelInfo::provider) and error messages.
    pub provider: String,
    /// Which parameters the provider knows.
    pub dialect: Dialect,
    /// How long it is waited for.
    pub timeouts: Timeouts,
    /// When it is asked again.
    pub retry: RetryPolicy,
    /// The most bytes of an answer, 64 MiB at first.
    pub max_response_bytes: usize,
    /// The proxy to go through, if any; the environment is not looked at.
    pub proxy: Option<String>,
    /// What deadlines and durations are measured by.
    pub clock: Arc<dyn Clock>,
}

/// Which parameters a provider knows. Those that it does not know are not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Those of OpenAI alone, with `max_completion_tokens` for the token limit, and no empty text in embeddings.
    #[default]
    OpenAi,
    /// vLLM's as well (`top_k`, `min_p`, `repetition_penalty`), with `max_tokens`: what most servers understand.
    Extended,
}

/// How long a provider is waited for. The deadline of a request holds beside these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Until a connection stands: 10 s at first.
    pub connect: Duration,
    /// From then until the answer begins, the provider's queue included: 120 s at first.
    pub first_byte: Duration,
    /// Between two pieces of the answer: 60 s at first.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), first_byte: Duration::from_mins(2), idle: Duration::from_mins(1) }
    }
}

impl Timeouts {
    /// Sets [`connect`](Self::connect).
    pub fn with_connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }

    /// Sets [`first_byte`](Self::first_byte).
    pub fn with_first_byte(mut self, first_byte: Duration) -> Self {
        self.first_byte = first_byte;
        self
    }

    /// Sets [`idle`](Self::idle).
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }
}

impl EndpointConfig {
    /// The provider at `base_url`, everything else as it is at first.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            organization: None,
            provider: "openai".into(),
            dialect: Dialect::default(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            max_response_bytes: 64 << 20,
            proxy: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sets [`api_key`](Self::api_key).
    pub fn with_api_key(mut self, api_key: ApiKey) -> Self {
        self.api_key = Some(api_key);
        self
    }

    /// Sets [`organization`](Self::organization).
    pub fn with_organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// Sets [`provider`](Self::provider).
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = provider.into();
        self
    }

    /// Sets [`dialect`](Self::dialect).
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Sets [`timeouts`](Self::timeouts).
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets [`retry`](Self::retry).
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets [`max_response_bytes`](Self::max_response_bytes).
    pub fn with_max_response_bytes(mut self, max_response_bytes: usize) -> Self {
        self.max_response_bytes = max_response_bytes;
        self
    }

    /// Sets [`proxy`](Self::proxy).
    pub fn with_proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// Sets [`clock`](Self::clock).
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

/// Neither the key nor the proxy, whose address may hold a password, is shown.
impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("base_url", &self.base_url)
            .field("api_key", &self.api_key)
            .field("organization", &self.organization)
            .field("provider", &self.provider)
            .field("dialect", &self.dialect)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("max_response_bytes", &self.max_response_bytes)
            .finish_non_exhaustive()
    }
}
