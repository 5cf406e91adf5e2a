use jarre_core::BoxFuture;

use crate::{Reflection, Result};

/// What was learnt in earlier tasks. Those of one `scope` ([`Settings::lessons_scope`](crate::Settings::lessons_scope)) see nothing of another's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no reflections",
    note = "implement `jarre_agent::Lessons` (`recall` and `remember`)"
)]
pub trait Lessons: Send + Sync {
    /// The reflections of `scope` on failures that are most like `failure`, at most `limit`, nearest first.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn recall<'a>(&'a self, scope: &'a str, failure: &'a str, limit: usize) -> BoxFuture<'a, Result<Vec<Reflection>>>;

    /// Keeps a reflection in `scope`. One that is kept already is not kept twice: a run that was killed may ask again.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn remember<'a>(&'a self, scope: &'a str, reflection: &'a Reflection) -> BoxFuture<'a, Result<()>>;
}

/// Keeps nothing and knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLessons;

impl Lessons for NoLessons {
    fn recall<'a>(&'a self, _: &'a str, _: &'a str, _: usize) -> BoxFuture<'a, Result<Vec<Reflection>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn remember<'a>(&'a self, _: &'a str, _: &'a Reflection) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
