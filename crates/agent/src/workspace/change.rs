use serde::{Deserialize, Serialize};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The file, relative to the root.
    pub path: String,
    /// Who wrote it: a tool and the key of its call.
    pub by: String,
    /// BLAKE3 of what was there before, in hex; `None` for a new file.
    pub before: Option<String>,
    /// BLAKE3 of what is there now.
    pub after: String,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}
