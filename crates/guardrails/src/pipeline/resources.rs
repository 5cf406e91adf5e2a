use std::{collections::BTreeMap, fmt, sync::Arc};

use jarre_core::{Embedder, TextClassifier, TokenCounter};

use crate::{Error, Result};

/// The models that guards of a policy ask, by the names that the policy knows them by.
#[derive(Clone, Default)]
pub struct Resources {
    embedders: BTreeMap<String, Arc<dyn Embedder>>,
    classifiers: BTreeMap<String, Arc<dyn TextClassifier>>,
    token_counters: BTreeMap<String, Arc<dyn TokenCounter>>,
}

impl Resources {
    /// Has none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an embedder.
    pub fn with_embedder(mut self, name: impl Into<String>, embedder: Arc<dyn Embedder>) -> Self {
        self.embedders.insert(name.into(), embedder);
        self
    }

    /// Adds a classifier.
    pub fn with_classifier(mut self, name: impl Into<String>, classifier: Arc<dyn TextClassifier>) -> Self {
        self.classifiers.insert(name.into(), classifier);
        self
    }

    /// Adds a counter of tokens.
    pub fn with_token_counter(mut self, name: impl Into<String>, counter: Arc<dyn TokenCounter>) -> Self {
        self.token_counters.insert(name.into(), counter);
        self
    }

    /// The embedder of this name.
    ///
    /// # Errors
    /// [`Error::Policy`] where there is none; it tells which there are.
    pub fn embedder(&self, name: &str) -> Result<Arc<dyn Embedder>> {
        find("embedder", &self.embedders, name)
    }

    /// The classifier of this name.
    ///
    /// # Errors
    /// As for [`embedder`](Self::embedder).
    pub fn classifier(&self, name: &str) -> Result<Arc<dyn TextClassifier>> {
        find("classifier", &self.classifiers, name)
    }

    /// The counter of tokens of this name.
    ///
    /// # Errors
    /// As for [`embedder`](Self::embedder).
    pub fn token_counter(&self, name: &str) -> Result<Arc<dyn TokenCounter>> {
        find("token counter", &self.token_counters, name)
    }
}

fn find<T: ?Sized>(what: &str, all: &BTreeMap<String, Arc<T>>, name: &str) -> Result<Arc<T>> {
    all.get(name).cloned().ok_or_else(|| Error::Policy {
        at: format!("the {what} `{name}`"),
        reason: format!("it is not among the resources, which are {}", list(all.keys())),
    })
}

/// Names for a person to read.
pub(super) fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

impl fmt::Debug for Resources {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Resources")
            .field("embedders", &self.embedders.keys())
            .field("classifiers", &self.classifiers.keys())
            .field("token_counters", &self.token_counters.keys())
            .finish()
    }
}
