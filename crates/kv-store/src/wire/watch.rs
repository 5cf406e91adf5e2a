use serde::{Deserialize, Serialize};

use super::{Header, Kv, Number, Span, is_default};
use crate::{Event, Result, Revision, WatchBatch, WatchRequest as Request};

/// `/v3/watch`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WatchRequest {
    #[serde(alias = "createRequest")]
    pub(crate) create_request: WatchCreate,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WatchCreate {
    #[serde(flatten)]
    pub(crate) span: Span,
    #[serde(alias = "startRevision", skip_serializing_if = "is_default")]
    pub(crate) start_revision: Number,
    #[serde(alias = "prevKv", skip_serializing_if = "is_default")]
    pub(crate) prev_kv: bool,
    /// Says how far it is now and then, also where nothing changes.
    #[serde(alias = "progressNotify", skip_serializing_if = "is_default")]
    pub(crate) progress_notify: bool,
    /// Not etcd's: says once how far it is, as soon as all changes made until now have been sent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) progress: bool,
}

impl WatchCreate {
    pub(crate) fn request(self) -> Result<Request> {
        let from = (self.start_revision.0 > 0).then_some(Revision(self.start_revision.0));
        Ok(Request { range: self.span.range()?, from, prev: self.prev_kv })
    }
}

impl From<&Request> for WatchCreate {
    fn from(request: &Request) -> Self {
        Self {
            span: (&request.range).into(),
            start_revision: Number(request.from.map_or(0, |from| from.0)),
            prev_kv: request.prev,
            progress_notify: false,
            progress: false,
        }
    }
}

/// A line of an answer that goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Streamed<T> {
    pub(crate) result: T,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WatchResponse {
    pub(crate) header: Header,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) created: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) canceled: bool,
    #[serde(alias = "compactRevision", skip_serializing_if = "is_default")]
    pub(crate) compact_revision: Number,
    #[serde(alias = "cancelReason", skip_serializing_if = "is_default")]
    pub(crate) cancel_reason: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) events: Vec<EventBody>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EventBody {
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub(crate) kind: EventKind,
    pub(crate) kv: Kv,
    #[serde(alias = "prevKv", skip_serializing_if = "is_default")]
    pub(crate) prev_kv: Option<Kv>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum EventKind {
    #[default]
    Put,
    Delete,
}

impl WatchResponse {
    pub(crate) fn of(header: Header, batch: WatchBatch) -> Self {
        let revision = Number(batch.revision.0);
        let events = batch.events.into_iter().map(|event| EventBody::of(event, revision)).collect();
        Self { header: Header { revision, ..header }, events, ..Self::default() }
    }

    pub(crate) fn batch(self) -> WatchBatch {
        WatchBatch { revision: Revision(self.header.revision.0), events: self.events.into_iter().map(EventBody::event).collect() }
    }
}

impl EventBody {
    fn of(event: Event, revision: Number) -> Self {
        match event {
            Event::Put { entry, prev } => Self { kind: EventKind::Put, kv: entry.into(), prev_kv: prev.map(Kv::from) },
            Event::Delete { key, prev } => {
                let kv = Kv { key: super::Bytes(key), mod_revision: revision, ..Kv::default() };
                Self { kind: EventKind::Delete, kv, prev_kv: prev.map(Kv::from) }
            }
        }
    }

    fn event(self) -> Event {
        let prev = self.prev_kv.map(Into::into);
        match self.kind {
            EventKind::Put => Event::Put { entry: self.kv.into(), prev },
            EventKind::Delete => Event::Delete { key: self.kv.key.0, prev },
        }
    }
}
