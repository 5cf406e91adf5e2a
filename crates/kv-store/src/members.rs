use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::Result;

/// A member of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name, which is never given to another, not even after it was removed.
    pub id: u64,
    /// Where other members reach it: `host:port`.
    pub peer: String,
    /// Where clients reach it: the URL of its HTTP API, where it offers one.
    pub client: Option<String>,
    /// Whether it counts for a quorum; one that does not only follows.
    pub voter: bool,
}

impl Member {
    /// A member that votes, and that clients do not reach by themselves.
    pub fn new(id: u64, peer: impl Into<String>) -> Self {
        Self { id, peer: peer.into(), client: None, voter: true }
    }

    /// Clients reach it at `url`.
    pub fn with_client(mut self, url: impl Into<String>) -> Self {
        self.client = Some(url.into());
        self
    }

    /// It follows and does not vote.
    pub const fn learner(mut self) -> Self {
        self.voter = false;
        self
    }
}

/// Who belongs to a cluster.
///
/// Each change ends where the members have agreed on it. Errors are those of every change of a [`Store`](crate::Store): after
/// [`Unknown`](crate::Error::Unknown) look at [`members`](Self::members).
pub trait Members: Send + Sync {
    /// Every member, as far as this one knows.
    ///
    /// # Errors
    /// Where this one has stopped.
    fn members(&self) -> BoxFuture<'_, Result<Vec<Member>>>;

    /// Adds a member, which runs already with an empty folder. It follows until it has caught up, and votes then if it is to.
    ///
    /// # Errors
    /// [`Membership`](crate::Error::Membership) where it belongs to the cluster already, or to another; otherwise as every change.
    fn add(&self, member: Member) -> BoxFuture<'_, Result<()>>;

    /// Lets a follower vote.
    ///
    /// # Errors
    /// [`Membership`](crate::Error::Membership) where there is no such member; otherwise as every change.
    fn promote(&self, id: u64) -> BoxFuture<'_, Result<()>>;

    /// Takes a member out; if it leads, another leads first. What it keeps is of no use afterwards, and its name is not to be given again.
    ///
    /// # Errors
    /// [`Membership`](crate::Error::Membership) where there is no such member, or no other one; otherwise as every change.
    fn remove(&self, id: u64) -> BoxFuture<'_, Result<()>>;

    /// Lets another member lead, where this one does.
    ///
    /// # Errors
    /// [`NoQuorum`](crate::Error::NoQuorum) where no other one takes over.
    fn step_down(&self) -> BoxFuture<'_, Result<()>>;
}
