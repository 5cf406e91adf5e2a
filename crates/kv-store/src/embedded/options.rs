use std::{fmt, sync::Arc};

use jarre_core::{Clock, SystemClock};

use crate::Limits;

/// How a file is opened.
#[derive(Clone)]
pub struct EmbeddedOptions {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) cache: usize,
    pub(super) verify: bool,
}

impl EmbeddedOptions {
    /// The machine's clock, the default limits, a cache of 64 MiB, and no reading of the whole file.
    pub fn new() -> Self {
        Self { clock: Arc::new(SystemClock::new()), limits: Limits::default(), cache: 64 << 20, verify: false }
    }

    /// Ends leases by `clock`.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes what `limits` allow.
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps up to so many bytes of the file in memory.
    pub const fn with_cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Reads the whole file first and holds every page and row to its checksum.
    pub const fn verified(mut self) -> Self {
        self.verify = true;
        self
    }
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EmbeddedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("EmbeddedOptions");
        options.field("limits", &self.limits).field("cache", &self.cache).field("verify", &self.verify).finish_non_exhaustive()
    }
}
