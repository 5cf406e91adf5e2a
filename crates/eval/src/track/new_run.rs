use super::RunId;
use crate::Provenance;

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct NewRun {
    pub(super) experiment: String,
    pub(super) name: String,
    pub(super) parent: Option<RunId>,
    pub(super) seed: Option<u64>,
    pub(super) provenance: Provenance,
}

impl NewRun {
    /// A run of the experiment of this name, which is made where there is none.
    pub fn new(experiment: impl Into<String>) -> Self {
        Self { experiment: experiment.into(), name: String::new(), parent: None, seed: None, provenance: Provenance::default() }
    }

    /// What people call it.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The run that it is a part of.
    pub fn with_parent(mut self, parent: RunId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// The seed that everything random in it is drawn from.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Where its figures come from.
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }
}
