use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use toml::Table;

use super::{Resources, resources::list};
use crate::{Error, Guard, Result};

type Make = dyn Fn(Table, &Resources) -> Result<Arc<dyn Guard>> + Send + Sync;

/// The guards that policies may name, and how each is made of its settings.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<String, Arc<Make>>);

impl Registry {
    /// Knows no guard; [`builtin`](Self::builtin) knows those of this crate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `name` with `make`, which gets what a policy's layer states beside the settings of the layer itself. A name that is known
    /// is replaced.
    pub fn with(
        mut self,
        name: impl Into<String>,
        make: impl Fn(Table, &Resources) -> Result<Arc<dyn Guard>> + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(name.into(), Arc::new(make));
        self
    }

    /// Makes `name` of a configuration alone, as `Registry::with_config("pii", PiiGuard::new)`.
    pub fn with_config<C, G>(self, name: impl Into<String>, make: impl Fn(C) -> Result<G> + Send + Sync + 'static) -> Self
    where
        C: DeserializeOwned,
        G: Guard + 'static,
    {
        self.with(name, move |table, _| Ok(Arc::new(make(parse(table)?)?)))
    }

    /// The names that are known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Makes a guard.
    ///
    /// # Errors
    /// [`Error::Policy`] where the name is unknown or the settings do not fit; whatever the guard says of them.
    pub fn make(&self, name: &str, settings: Table, resources: &Resources) -> Result<Arc<dyn Guard>> {
        let make = self.0.get(name).ok_or_else(|| Error::Policy {
            at: format!("the guard `{name}`"),
            reason: format!("it is not known; known are {}", list(self.names())),
        })?;
        make(settings, resources)
    }
}

/// The configuration that `table` states.
pub(super) fn parse<C: DeserializeOwned>(table: Table) -> Result<C> {
    table.try_into().map_err(|error: toml::de::Error| Error::Policy { at: "the settings of the guard".into(), reason: one_line(&error) })
}

/// What is wrong, without the excerpt, which a table that was taken apart has not.
pub(super) fn one_line(error: &toml::de::Error) -> String {
    let told = error.to_string();
    told.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

impl fmt::Debug for Registry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Registry").field(&self.0.keys()).finish()
    }
}
