use std::{borrow::Cow, fmt, sync::Arc};

type Read = dyn Fn(&str) -> Vec<f32> + Send + Sync;

/// Numbers about a text that a model reads beside its n-grams: shares, counts, an embedding.
///
/// A model keeps the names and is only read with a hook that has the same, in the same order.
#[derive(Clone)]
pub struct FeatureHook {
    names: Vec<Cow<'static, str>>,
    read: Arc<Read>,
}

impl FeatureHook {
    /// Numbers called `names`, which `read` gives in that order. It must give the same for the same text, in time linear in its length.
    pub fn new<N: Into<Cow<'static, str>>>(
        names: impl IntoIterator<Item = N>,
        read: impl Fn(&str) -> Vec<f32> + Send + Sync + 'static,
    ) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), read: Arc::new(read) }
    }

    /// What the numbers are called.
    pub fn names(&self) -> &[Cow<'static, str>] {
        &self.names
    }

    /// One number a name; 0 for what is missing or no finite number.
    pub fn read(&self, text: &str) -> Vec<f32> {
        let mut values = (self.read)(text);
        values.resize(self.names.len(), 0.0);
        values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
        values
    }
}

impl fmt::Debug for FeatureHook {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FeatureHook").field("names", &self.names).finish_non_exhaustive()
    }
}
