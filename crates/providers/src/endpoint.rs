use std::{fmt, sync::Arc, time::Duration};

use jarre_core::{Clock, Error, ErrorKind, Result, Timestamp};
use jarre_openai::{ApiError, ModelList};
use reqwest::{
    Client, Method, RequestBuilder, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;

use crate::{
    Dialect, EndpointConfig, Timeouts,
    body::Body,
    failure::{retry_after, transport},
    retry::{Jitter, RetryPolicy},
    wait::{passed, within},
};

/// The most bytes of an error's body that are read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// A provider that speaks OpenAI's API, with its connections. Clones share them.
///
/// Its futures have to be awaited inside a tokio runtime with time and IO.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    client: Client,
    base: String,
    provider: String,
    dialect: Dialect,
    timeouts: Timeouts,
    retry: RetryPolicy,
    max_response_bytes: usize,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
}

impl Endpoint {
    /// The provider that `config` describes. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where the address, the proxy or the organisation is malformed.
    pub fn new(config: &EndpointConfig) -> Result<Self> {
        let base = base_url(&config.base_url)?;
        let client = client(config)?;
        // Different for every endpoint on a clock that runs, and the same again on one that is replayed.
        let jitter = Jitter::new(config.clock.timestamp().unix_micros().cast_unsigned());
        Ok(Self(Arc::new(Inner {
            client,
            base,
            provider: config.provider.clone(),
            dialect: config.dialect,
            timeouts: config.timeouts,
            retry: config.retry,
            max_response_bytes: config.max_response_bytes,
            clock: Arc::clone(&config.clock),
            jitter,
        })))
    }

    /// The models that the provider has.
    ///
    /// # Errors
    /// What the provider reports, after as many tries as the policy allows.
    pub async fn models(&self) -> Result<ModelList> {
        self.with_retries(None, || async { self.send(self.request(Method::GET, "/models"), None).await?.json().await }).await
    }

    pub(crate) fn provider(&self) -> &str {
        &self.0.provider
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &self.0.clock
    }

    /// Sends `body`, JSON, once, and reads the answer's head.
    pub(crate) async fn post(&self, path: &str, body: &[u8], deadline: Option<Timestamp>) -> Result<Body> {
        let json = HeaderValue::from_static("application/json");
        self.send(self.request(Method::POST, path).header(CONTENT_TYPE, json).body(body.to_vec()), deadline).await
    }

    /// Posts `body` until there is an answer or the policy gives up, and reads the answer.
    pub(crate) async fn post_json<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T> {
        self.with_retries(None, || async { self.post(path, body, None).await?.json().await }).await
    }

    /// Tries until it works or the policy gives up. No wait ends after the deadline: the error is handed on instead.
    pub(crate) async fn with_retries<T, F>(&self, deadline: Option<Timestamp>, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut tries = 0;
        loop {
            let error = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            tries += 1;
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.since(self.clock().timestamp()));
            match self.0.retry.wait(tries, &error, self.0.jitter.next()) {
                Some(wait) if wait < left => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.0.client.request(method, format!("{}{path}", self.0.base))
    }

    async fn send(&self, request: RequestBuilder, deadline: Option<Timestamp>) -> Result<Body> {
        if deadline.is_some_and(|deadline| deadline <= self.clock().timestamp()) {
            return Err(passed());
        }
        let Timeouts { connect, first_byte, idle } = self.0.timeouts;
        let what = format!("the beginning of the answer of {}", self.0.provider);
        let most = connect.saturating_add(first_byte);
        let response =
            within(self.clock(), deadline, most, &what, request.send()).await?.map_err(|error| transport(self.provider(), error))?;
        let (status, wait) = (response.status(), retry_after(response.headers(), self.clock()));
        let limit = if status.is_success() { self.0.max_response_bytes } else { MAX_ERROR_BYTES };
        let body = Body::new(response, self.clone(), limit, idle, deadline);
        if status.is_success() {
            return Ok(body);
        }
        // The beginning of an error tells as much as there is to tell.
        Err(ApiError::from_response(status.as_u16(), &body.beginning().await, wait).into())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("base_url", &self.0.base).field("provider", &self.0.provider).finish_non_exhaustive()
    }
}

/// A user in the address would end up in logs, and a query would swallow the paths.
fn base_url(text: &str) -> Result<String> {
    let url = Url::parse(text).map_err(|error| invalid(format!("the base URL is malformed: {error}")))?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none();
    if !plain || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("the base URL must be of http or https, without a user, a query or a fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Redirects are not followed: they would take the key elsewhere and make a GET of a POST.
fn client(config: &EndpointConfig) -> Result<Client> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"))]);
    if let Some(key) = &config.api_key {
        headers.insert(AUTHORIZATION, key.header());
    }
    if let Some(organization) = &config.organization {
        let value = HeaderValue::try_from(organization).map_err(|_| invalid("the organisation is no text that a header can hold"))?;
        headers.insert(HeaderName::from_static("openai-organization"), value);
    }
    let builder = Client::builder()
        .default_headers(headers)
        .user_agent(concat!("jarre/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(config.timeouts.connect)
        .redirect(reqwest::redirect::Policy::none());
    let builder = match &config.proxy {
        None => builder.no_proxy(),
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| invalid("the address of the proxy is malformed"))?),
    };
    builder.build().map_err(|error| transport(&config.provider, error))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        assert_eq!(base_url("http://127.0.0.1:8000/v1/").unwrap(), "http://127.0.0.1:8000/v1");
        for wrong in ["", "api.openai.com/v1", "ftp://x/", "file:///v1", "https://me:pw@x/v1", "https://x/v1?key=1", "https://x/v1#a"] {
            let error = base_url(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{wrong}");
            assert!(!error.to_string().contains("pw"), "{error}");
        }
    }
}
