use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Ends a command from another thread. Clones are one flag, which stays set.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    /// Flags that count as this one.
    others: Vec<Arc<AtomicBool>>,
}

impl Cancel {
    /// One that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every command that runs with this flag ended, within tens of milliseconds.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Whether it was set.
    pub fn is_cancelled(&self) -> bool {
        self.others.iter().chain([&self.flag]).any(|flag| flag.load(Ordering::Relaxed))
    }

    /// One that is set once this or the other is. Setting it sets neither of them.
    ///
    /// ```
    /// use jarre_sandbox::Cancel;
    ///
    /// let (all, one) = (Cancel::new(), Cancel::new());
    /// let either = all.or(&one);
    /// one.cancel();
    /// assert!(either.is_cancelled() && !all.is_cancelled());
    /// ```
    pub fn or(&self, other: &Self) -> Self {
        let flags = [self, other].into_iter().flat_map(|cancel| cancel.others.iter().chain([&cancel.flag]));
        Self { flag: Arc::default(), others: flags.cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_is_set_by_each_and_sets_neither() {
        let (a, b, c) = (Cancel::new(), Cancel::new(), Cancel::new());
        let (ab, abc) = (a.or(&b), a.or(&b).or(&c));
        assert!(!abc.is_cancelled());
        ab.cancel();
        assert!(ab.is_cancelled() && !a.is_cancelled() && !b.is_cancelled() && !abc.is_cancelled());
        b.cancel();
        assert!(abc.is_cancelled() && !c.is_cancelled());
    }
}
