use crate::Record;

/// Follows a run live.
///
/// It is called on the path of the run: whoever has more to do than to pass the record on does it elsewhere.
#[diagnostic::on_unimplemented(message = "`{Self}` does not observe runs", note = "implement `jarre_agent::Observer`, or pass a closure")]
pub trait Observer: Send + Sync {
    /// A record was appended.
    fn observe(&self, record: &Record);
}

impl<F: Fn(&Record) + Send + Sync> Observer for F {
    fn observe(&self, record: &Record) {
        self(record);
    }
}
