use std::time::Duration;

use etcd_client::{Client, ConnectOptions, GetOptions, KvClient};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout_at},
};

use super::{
    EtcdOptions,
    failure::{Failure, Kind},
    keys::{self, Keys},
    known::Known,
};
use crate::{Error, Result, Revision};

/// The pause before a call is made again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
/// How long one member is waited for with a read before another is asked, at first; then twice as long, and so on.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a connection in use is tried, which etcd allows every five seconds by default, and how soon it must answer.
const PING: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));
/// The largest answer to a read that may be asked for in smaller pieces, in bytes.
const LARGEST_PAGE: usize = 32 << 20;
/// The largest answer to anything else.
const LARGEST_ANSWER: usize = i32::MAX as usize;

/// A connection to etcd, and what is remembered of what it said.
pub(super) struct Caller {
    pub(super) client: Client,
    /// To members that have no leader too, for stale reads; connected when it is first needed.
    anyone: OnceCell<Client>,
    pub(super) keys: Keys,
    pub(super) options: EtcdOptions,
    pub(super) known: Known,
}

impl Caller {
    pub(super) async fn connect(options: EtcdOptions) -> Result<Self> {
        let keys = Keys::new(options.prefix.clone())?;
        let deadline = Instant::now() + options.timeout;
        let client = again(deadline, Kind::Read, || Client::connect(&options.endpoints, Some(connection(&options, true)))).await;
        let client = client.map_err(|failure| failure.told(Kind::Read, Revision::ZERO))?;
        let caller = Self { client, anyone: OnceCell::new(), keys, options, known: Known::default() };
        caller.revision().await?;
        Ok(caller)
    }

    /// Makes a call, and again where that does no harm, until its time is over.
    pub(super) async fn call<T, F>(&self, kind: Kind, attempt: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        again(Instant::now() + self.options.timeout, kind, attempt).await
    }

    /// For calls whose answer must come, however large.
    pub(super) fn kv(&self) -> KvClient {
        self.client.kv_client().max_decoding_message_size(LARGEST_ANSWER)
    }

    /// For reads that can be made in smaller pieces.
    pub(super) fn reader(&self) -> KvClient {
        self.client.kv_client().max_decoding_message_size(LARGEST_PAGE)
    }

    /// The same, from members that know of no leader too.
    pub(super) async fn stale_reader(&self) -> Result<KvClient, etcd_client::Error> {
        let connect = || Client::connect(&self.options.endpoints, Some(connection(&self.options, false)));
        Ok(self.anyone.get_or_try_init(connect).await?.kv_client().max_decoding_message_size(LARGEST_PAGE))
    }

    /// Where etcd is, as a linearizable read.
    pub(super) async fn revision(&self) -> Result<Revision> {
        match self.touch(0).await {
            Ok(revision) => Ok(revision),
            Err(failure) => Err(failure.told(Kind::Read, Revision::ZERO)),
        }
    }

    /// Reads nothing of interest as of a revision, zero for now, to learn whether that can be read. Returns where etcd is.
    pub(super) async fn touch(&self, at: i64) -> Result<Revision, Failure> {
        let (sent, options) = (self.now(), GetOptions::new().with_revision(at).with_count_only());
        let found = self.call(Kind::Read, || {
            let (mut kv, key, options) = (self.reader(), self.keys.marker(), options.clone());
            async move { kv.get(key, Some(options)).await }
        });
        let revision = keys::revision(found.await?.header().map_or(0, etcd_client::ResponseHeader::revision));
        self.known.answered(sent, revision);
        Ok(revision)
    }

    /// The error that a failure is, with what has to be asked for it.
    pub(super) async fn explain(&self, failure: Failure, kind: Kind) -> Error {
        let at = match failure {
            Failure::Compacted => self.compacted().await,
            Failure::FutureRevision => self.revision().await,
            _ => Ok(Revision::ZERO),
        };
        at.map_or_else(|error| error, |at| failure.told(kind, at))
    }

    /// The last revision that was compacted.
    pub(super) async fn compacted(&self) -> Result<Revision> {
        let known = self.known.compacted();
        // A revision can be read as long as none after it was compacted.
        match self.touch(keys::number(known.max(Revision::FIRST))).await {
            Ok(_) => Ok(known),
            Err(Failure::Compacted) => self.ask_compacted().await,
            Err(failure) => Err(failure.told(Kind::Read, Revision::ZERO)),
        }
    }

    /// etcd names the revision to nobody but watches that come too late.
    async fn ask_compacted(&self) -> Result<Revision> {
        let found = self.call(Kind::Read, || async {
            let options = etcd_client::WatchOptions::new().with_start_revision(1);
            let mut stream = self.client.watch_client().watch(self.keys.marker(), Some(options)).await?;
            while let Some(answer) = stream.message().await? {
                if answer.canceled() {
                    return Ok(answer.compact_revision());
                }
            }
            Err(etcd_client::Error::WatchError("it ended without a reason".to_owned()))
        });
        let at = keys::revision(found.await.map_err(|failure| failure.told(Kind::Read, Revision::ZERO))?);
        self.known.compacted_at(at);
        Ok(at)
    }

    pub(super) fn now(&self) -> Duration {
        self.options.clock.now()
    }
}

fn connection(options: &EtcdOptions, require_leader: bool) -> ConnectOptions {
    let mut connection = ConnectOptions::new()
        .with_require_leader(require_leader)
        .with_connect_timeout(options.connect_timeout)
        .with_keep_alive_while_idle(false)
        .with_auto_token_refresh(true)
        .with_keep_alive(PING.0, PING.1);
    if let Some((name, password)) = &options.user {
        connection = connection.with_user(name, password);
    }
    match &options.tls {
        Some(tls) => connection.with_tls(super::tls::options(tls)),
        None => connection,
    }
}

async fn again<T, F>(deadline: Instant, kind: Kind, attempt: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, etcd_client::Error>>,
{
    let (mut pause, mut patience) = (PAUSE.0, PATIENCE);
    loop {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        let until = if kind == Kind::Read { now + patience.min(left / 2) } else { deadline };
        let failure = match timeout_at(until, attempt()).await {
            Err(_) => Failure::Lost("there was no answer in time".to_owned()),
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => Failure::of(&error),
        };
        if !failure.may_try_again(kind) || Instant::now() + pause >= deadline {
            return Err(failure);
        }
        sleep(pause).await;
        (pause, patience) = ((pause * 2).min(PAUSE.1), patience * 2);
    }
}
