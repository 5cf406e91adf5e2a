use super::Scoring;
use crate::{
    Provenance, Result,
    track::{RunId, SampleTexts, Tracker},
};

/// Scores the answers of a run anew by everything in `scoring` that needs nobody else, without asking for them again; says how many. Earlier
/// scores are kept as history, and what a person scored by hand counts on. The versions of the scorers become those of the run.
///
/// # Errors
/// Of the tracker.
pub fn rescore(tracker: &Tracker, run: &RunId, scoring: &Scoring, reason: &str) -> Result<usize> {
    let mut rescored = 0;
    for mut sample in tracker.samples(run, SampleTexts::Whole)? {
        if sample.error.is_some() {
            continue;
        }
        sample.scores.clear();
        scoring.score(&mut sample);
        tracker.rescore(run, &sample.item, sample.repeat, &sample.scores, reason)?;
        rescored += 1;
    }
    let mut provenance: Provenance = tracker.run(run)?.provenance;
    provenance.scorers.extend(scoring.versions());
    tracker.set_provenance(run, &provenance)?;
    Ok(rescored)
}
