#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod blocking;
#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
#[cfg(feature = "etcd")]
mod etcd;
mod forward;
#[cfg(feature = "cluster")]
pub mod frame;
#[cfg(feature = "server")]
pub mod http;
mod id;
mod lease;
mod lessor;
mod limits;
pub mod load;
mod local;
#[cfg(feature = "cluster")]
pub mod log;
mod machine;
mod members;
mod memory;
mod metrics;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod namespace;
mod raft_status;
mod range;
#[cfg(feature = "client")]
mod remote;
mod session;
mod snapshot;
mod status;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "etcd", feature = "tls"))]
#[cfg_attr(not(all(feature = "client", feature = "cluster", feature = "server")), allow(dead_code, reason = "each end takes its own part"))]
mod tls;
mod txn;
mod watch;
#[cfg(any(feature = "client", feature = "server"))]
#[cfg_attr(not(all(feature = "client", feature = "server")), expect(dead_code, reason = "each side reads what the other writes"))]
mod wire;

pub use blocking::{Blocking, BlockingWatch};
#[cfg(feature = "cluster")]
pub use cluster::{Cluster, ClusterOptions};
#[cfg(feature = "embedded")]
pub use embedded::{Embedded, EmbeddedOptions};
pub use error::{Error, Refusal, Result};
#[cfg(feature = "etcd")]
pub use etcd::{Etcd, EtcdOptions};
pub use id::{LeaseId, Revision, SessionId};
pub use lease::Lease;
pub use limits::Limits;
pub use members::{Member, Members};
pub use memory::Memory;
pub use metrics::Metrics;
pub use namespace::Namespace;
pub use raft_status::{RaftMember, RaftStatus};
pub use range::{Entry, KeyRange, Page, RangeRequest, ReadLevel};
#[cfg(feature = "client")]
pub use remote::{Remote, RemoteOptions};
pub use session::{Session, SessionTag};
pub use snapshot::{SnapshotInfo, Verified};
pub use status::Status;
pub use store::Store;
#[cfg(all(feature = "server", feature = "tls"))]
pub use tls::ServerTls;
#[cfg(any(feature = "etcd", feature = "tls"))]
pub use tls::Tls;
pub use txn::{Compare, Op, OpResult, Operator, Target, Txn, TxnOutcome};
pub use watch::{Event, Watch, WatchBatch, WatchRequest, WatchSource};
