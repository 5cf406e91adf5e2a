//! What stores of one process share: the API over rows that someone keeps, time for leases, and watches that follow the history.

mod serve;
mod shared;
mod wakers;
mod watching;

pub(crate) use serve::Local;
pub(crate) use shared::Shared;

use std::{future::ready, time::Duration};

use jarre_core::BoxFuture;

use crate::{
    LeaseId, ReadLevel, Result,
    machine::{Answer, Command, Rows},
};

/// Keeps rows, and carries out commands on them one after another.
pub(crate) trait Engine: Send + Sync + 'static {
    /// The name of this sort of store.
    const KIND: &'static str;

    fn shared(&self) -> &Shared;

    /// Shows `look` the rows after the last command that is durable.
    fn view(&self, look: &mut dyn FnMut(&dyn Rows) -> Result<()>) -> Result<()>;

    /// Carries out a command once the future is polled, and is ready when it is durable. Calls [`Shared::observe`] before.
    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer>>;

    /// Bytes that it takes, where that is known.
    fn bytes(&self) -> Option<u64>;

    /// Is ready when a view is as fresh as `level` asks for; `None` where it always is.
    fn settle(&self, _level: ReadLevel) -> Option<BoxFuture<'_, Result<()>>> {
        None
    }

    /// Lets a lease last its whole TTL from now, which is returned; `None` where there is none.
    fn keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(ready(Ok(self.shared().keep_alive(id))))
    }

    /// The TTL of a lease and what is left of it; `None` where there is none.
    fn remaining(&self, id: LeaseId) -> BoxFuture<'_, Result<Option<(Duration, Duration)>>> {
        Box::pin(ready(Ok(self.shared().remaining(id))))
    }

    /// Who leads, where somebody has to and it is known.
    fn leader(&self) -> Option<String> {
        None
    }
}

/// What `look` finds in the rows of `engine`.
pub(crate) fn read<E: Engine, T>(engine: &E, look: impl FnOnce(&dyn Rows) -> Result<T>) -> Result<T> {
    let (mut look, mut found) = (Some(look), None);
    engine.view(&mut |rows| {
        if let Some(look) = look.take() {
            found = Some(look(rows)?);
        }
        Ok(())
    })?;
    Ok(found.expect("a view shows its rows"))
}
