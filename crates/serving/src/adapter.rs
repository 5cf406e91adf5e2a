use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use jarre_transformer::paged::PagedAdapter;

use crate::{Model, Result};

/// A low-rank adapter of a served model under a name: requests that bring it are answered with it, in one batch with all others.
///
/// Clones are the same adapter. Two that were loaded apart are not, whatever they are called: no cached prefix of one is found by the other.
#[derive(Clone, Debug)]
pub struct LoraAdapter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Never given twice by a process.
    id: u64,
    name: String,
    weights: PagedAdapter,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl LoraAdapter {
    /// An adapter that was made elsewhere.
    pub fn new(name: impl Into<String>, weights: PagedAdapter) -> Self {
        Self(Arc::new(Inner { id: NEXT.fetch_add(1, Ordering::Relaxed), name: name.into(), weights }))
    }

    /// The adapter of a PEFT folder (`adapter_config.json`, `adapter_model.safetensors`) for `model`.
    ///
    /// # Errors
    /// Where a file is missing or malformed, or the adapter does not fit the model.
    pub fn from_folder(name: impl Into<String>, model: &Model, folder: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::new(name, PagedAdapter::from_folder(model.causal().decoder(), folder)?))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it adds.
    pub fn weights(&self) -> &PagedAdapter {
        &self.0.weights
    }

    /// The adapter, for as long as others hold it.
    pub(crate) fn downgrade(&self) -> WeakAdapter {
        WeakAdapter(Arc::downgrade(&self.0))
    }

    /// What prefixes are cached under: those of a salt and this adapter. No text holds the byte between them.
    pub(crate) fn namespace(&self, salt: &str) -> Vec<u8> {
        [salt.as_bytes(), &[0xff], &self.0.id.to_le_bytes()].concat()
    }
}

/// An adapter that is held elsewhere, and may be gone.
#[derive(Debug)]
pub(crate) struct WeakAdapter(Weak<Inner>);

impl WeakAdapter {
    /// Whether nobody holds it any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Whether `weights` are those of this adapter, and not of another one that may be equal.
    pub(crate) fn has(&self, weights: &PagedAdapter) -> bool {
        self.0.upgrade().is_some_and(|adapter| std::ptr::eq(&raw const adapter.weights, weights))
    }
}
