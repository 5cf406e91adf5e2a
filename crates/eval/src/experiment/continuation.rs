use super::{Dataset, Runner};
use crate::{
    Provenance, Result,
    track::{NewRun, Run, RunId, RunQuery, RunStatus, Tracker},
};

/// What two starts of one run must have in common: everything that the figures depend on. Which commit the working tree stands at and which
/// machine it runs on may change in between.
fn is_same(run: &Run, wanted: &Provenance, name: &str, seed: u64) -> bool {
    let had = &run.provenance;
    run.name == name
        && run.seed == Some(seed)
        && (&had.dataset, &had.prompt, &had.method, &had.model) == (&wanted.dataset, &wanted.prompt, &wanted.method, &wanted.model)
        && (&had.sampling, &had.scorers) == (&wanted.sampling, &wanted.scorers)
        && had.environment.get("endpoint") == wanted.environment.get("endpoint")
        && had.environment.get("repeats") == wanted.environment.get("repeats")
}

impl Runner {
    /// The last run of `experiment` that this runner would have made over `dataset` and that has not come to its end, or else a new one. `parent`
    /// is the run that it is a part of; `git` is the commit that the working tree stands at.
    ///
    /// # Errors
    /// Of the tracker.
    pub fn open_run(&self, experiment: &str, dataset: &Dataset, parent: Option<&RunId>, git: Option<String>) -> Result<RunId> {
        let tracker = self.tracker();
        let provenance = Provenance { git, ..self.provenance(dataset) };
        match self.unfinished(&tracker, experiment, &provenance)? {
            Some(run) => Ok(run),
            None => self.new_run(experiment, provenance, parent),
        }
    }

    /// A new run of `experiment` over `dataset`, whatever others there are.
    ///
    /// # Errors
    /// Of the tracker.
    pub fn create_run(&self, experiment: &str, dataset: &Dataset, parent: Option<&RunId>, git: Option<String>) -> Result<RunId> {
        self.new_run(experiment, Provenance { git, ..self.provenance(dataset) }, parent)
    }

    fn new_run(&self, experiment: &str, provenance: Provenance, parent: Option<&RunId>) -> Result<RunId> {
        let new = NewRun::new(experiment).with_name(self.variant()).with_seed(self.seed()).with_provenance(provenance);
        self.tracker().create_run(&match parent {
            Some(parent) => new.with_parent(parent.clone()),
            None => new,
        })
    }

    fn unfinished(&self, tracker: &Tracker, experiment: &str, provenance: &Provenance) -> Result<Option<RunId>> {
        let mut query = RunQuery::default().in_experiment(experiment);
        loop {
            let page = tracker.list_runs(&query)?;
            let open = page.rows.iter().filter(|row| row.name == self.variant() && can_go_on(row.status));
            for row in open {
                if is_same(&tracker.run(&row.id)?, provenance, self.variant(), self.seed()) {
                    return Ok(Some(row.id.clone()));
                }
            }
            let Some(next) = page.next else { return Ok(None) };
            query = query.after(next);
        }
    }
}

fn can_go_on(status: RunStatus) -> bool {
    match status {
        RunStatus::Queued | RunStatus::Interrupted | RunStatus::Failed | RunStatus::Cancelled => true,
        RunStatus::Running | RunStatus::Done => false,
    }
}
