use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, Uri,
    body::{Bytes, Incoming},
    header,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep, timeout_at};

use super::{RemoteOptions, strange, web::Web};
use crate::{Error, Result, wire::ErrorBody};

/// Bytes of an answer at most: a page with its base64, and what is around it.
const LONGEST: usize = 64 << 20;
/// How long to wait before the next try, once every server was tried.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether a request may be made again where it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Any number of times: it changes nothing, or is carried out once.
    Always,
    /// As long as nothing was done.
    IfNotDone,
}

/// Makes requests of whichever server answers.
pub(super) struct Caller {
    web: Web,
    servers: Vec<Uri>,
    token: Option<header::HeaderValue>,
    timeout: Duration,
    /// Which answered last.
    preferred: AtomicUsize,
}

/// The tries of one request, beginning with the server that answered last.
struct Tries<'a> {
    caller: &'a Caller,
    repeat: Repeat,
    deadline: Instant,
    at: usize,
    number: usize,
}

impl Tries<'_> {
    fn server(&self) -> &Uri {
        &self.caller.servers[self.at]
    }

    fn succeeded<T>(&self, answer: T) -> T {
        self.caller.preferred.store(self.at, Relaxed);
        answer
    }

    /// Goes on to the next server, unless that was the last try.
    async fn failed(&mut self, failed: Failed) -> Result<()> {
        let may_repeat = failed.not_done || self.repeat == Repeat::Always && matches!(failed.error, Error::Unknown { .. });
        if !may_repeat || Instant::now() >= self.deadline {
            return Err(failed.error);
        }
        let servers = self.caller.servers.len();
        (self.number, self.at) = (self.number + 1, (self.at + 1) % servers);
        if self.number.is_multiple_of(servers) {
            sleep(PAUSE).await;
        }
        // A try that would be cut off at once could only make unknown what is known.
        if Instant::now() >= self.deadline { Err(failed.error) } else { Ok(()) }
    }
}

/// Why a try failed.
struct Failed {
    error: Error,
    /// Whether nothing was done, and another server, or the same later, may do it.
    not_done: bool,
}

impl Caller {
    pub(super) fn new(options: RemoteOptions) -> Result<Self> {
        let web = Web::new(&options)?;
        let servers = options.servers.iter().map(|server| web.parse(server)).collect::<Result<Vec<_>>>()?;
        if servers.is_empty() {
            return Err(Error::Unsupported("a remote store without a server: name one".into()));
        }
        let token = options.token.map(|token| {
            let mut value = header::HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Error::Invalid("a token has signs that no header can have".into()))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        Ok(Self { web, servers, token: token.transpose()?, timeout: options.timeout, preferred: AtomicUsize::new(0) })
    }

    /// What a server answers to `body`.
    pub(super) async fn call<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize, repeat: Repeat) -> Result<T> {
        let body = Bytes::from(serde_json::to_vec(body).expect("requests are plain data, which JSON can always write"));
        let mut tries = self.tries(repeat);
        loop {
            let request = self.request(Method::POST, tries.server(), path, body.clone());
            let answered = timeout_at(tries.deadline, async { whole(self.send(request).await?).await }).await;
            let answer = answered.unwrap_or_else(|_| Err(Failed::unknown("no answer came in time")));
            let parsed = answer
                .and_then(|answer| serde_json::from_slice(&answer).map_err(|error| Failed { error: strange(error), not_done: false }));
            match parsed {
                Ok(answer) => return Ok(tries.succeeded(answer)),
                Err(failed) => tries.failed(failed).await?,
            }
        }
    }

    /// The answer to a request that may be made any number of times, whose body is read by the caller.
    pub(super) async fn stream(&self, method: Method, path: &str, body: Bytes) -> Result<Incoming> {
        let mut tries = self.tries(Repeat::Always);
        loop {
            let request = self.request(method.clone(), tries.server(), path, body.clone());
            let answered = timeout_at(tries.deadline, self.send(request)).await;
            match answered.unwrap_or_else(|_| Err(Failed::unknown("no answer came in time"))) {
                Ok(response) => return Ok(tries.succeeded(response.into_body())),
                Err(failed) => tries.failed(failed).await?,
            }
        }
    }

    fn tries(&self, repeat: Repeat) -> Tries<'_> {
        let first = self.preferred.load(Relaxed);
        Tries { caller: self, repeat, deadline: Instant::now() + self.timeout, at: first % self.servers.len(), number: 0 }
    }

    fn request(&self, method: Method, server: &Uri, path: &str, body: Bytes) -> Request<Full<Bytes>> {
        let mut parts = server.clone().into_parts();
        parts.path_and_query = Some(path.parse().expect("paths are our own"));
        let uri = Uri::from_parts(parts).expect("a server's URL has a scheme and a host");
        let mut request = Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
        request
    }

    /// The answer, once its head is there; what is no success is an error.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failed> {
        let response = self.web.request(request).await.map_err(|error| Failed::of(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = whole(response).await?;
        let Ok(body) = serde_json::from_slice::<ErrorBody>(&body) else { return Err(Failed { error: strange(status), not_done: false }) };
        let error = body.error();
        Err(Failed { not_done: matches!(error, Error::NotLeader { .. } | Error::NoQuorum | Error::Closed), error })
    }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, Failed> {
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| Failed::unknown(&error.to_string()))
}

impl Failed {
    /// Where no answer came.
    fn of(error: &hyper_util::client::legacy::Error) -> Self {
        #[cfg(feature = "tls")]
        if let Some(error) = super::web::mistrust(error) {
            return Self { error, not_done: true };
        }
        if error.is_connect() { Self { error: Error::NoQuorum, not_done: true } } else { Self::unknown(&error.to_string()) }
    }

    fn unknown(reason: &str) -> Self {
        Self { error: Error::Unknown { reason: reason.to_owned() }, not_done: false }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("servers", &self.servers).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
