use std::collections::{BTreeMap, HashSet};

use super::{
    edit::{Edit, edits},
    evidence::Evidence,
};
use crate::tasks::Language;

/// Climbs from a program that fails to one that passes, one small change after the other, led by what the tests say.
#[derive(Debug)]
pub(super) struct Search {
    language: Language,
    /// The best program so far and what its tests said.
    text: String,
    evidence: Evidence,
    trial: Option<Trial>,
    tried: HashSet<String>,
    /// How likely it is that the fault is on a line: what changes there did so far, and whether the tests name it.
    weights: BTreeMap<usize, i32>,
}

/// A change that is being tried.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) edit: Edit,
    pub(super) text: String,
}

/// What a trial taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    Passed,
    /// Fewer tests fail: it is kept, and the search goes on from there.
    Better {
        failed: u64,
        before: u64,
    },
    /// As many fail, with other words: the place matters.
    Moved,
    /// The tests say the same: the place does not matter to what fails.
    Same,
    Worse {
        failed: u64,
        before: u64,
    },
    /// It did not compile, or did not end.
    Broken,
}

impl Search {
    /// Starts from `text`, of which the tests say `evidence`.
    pub(super) fn new(text: String, language: Language, evidence: Evidence) -> Self {
        let mut search = Self { language, tried: HashSet::from([text.clone()]), text, evidence, trial: None, weights: BTreeMap::new() };
        search.look_at_lines();
        search
    }

    /// The next change to try; none where all were.
    pub(super) fn next(&mut self) -> Option<Trial> {
        let mut choices = edits(&self.text, self.language);
        choices.sort_by_key(|edit| (-self.weights.get(&edit.line).copied().unwrap_or(0), edit.rule, edit.at.start));
        let trial =
            choices.into_iter().map(|edit| Trial { text: edit.apply(&self.text), edit }).find(|trial| !self.tried.contains(&trial.text))?;
        self.tried.insert(trial.text.clone());
        self.trial = Some(trial.clone());
        Some(trial)
    }

    /// Learns from what the tests say of the trial.
    pub(super) fn learn(&mut self, evidence: Evidence) -> Option<Lesson> {
        let trial = self.trial.take()?;
        let before = self.evidence.failed;
        let lesson = self.lesson(&evidence);
        let weight = self.weights.entry(trial.edit.line).or_default();
        match lesson {
            Lesson::Moved => *weight += 1,
            Lesson::Same => *weight -= 2,
            Lesson::Worse { .. } => *weight -= 1,
            // Another change at the same place may still do.
            Lesson::Broken | Lesson::Passed | Lesson::Better { .. } => {}
        }
        if evidence.ran() && evidence.failed < before || lesson == Lesson::Passed {
            self.text = trial.text;
            self.evidence = evidence;
            self.weights.clear();
            self.look_at_lines();
        }
        Some(lesson)
    }

    /// The change that is being tried.
    pub(super) fn trial(&self) -> Option<Trial> {
        self.trial.clone()
    }

    /// The best program so far.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What its tests say.
    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    fn lesson(&self, evidence: &Evidence) -> Lesson {
        let (failed, before) = (evidence.failed, self.evidence.failed);
        if evidence.is_green() {
            Lesson::Passed
        } else if !evidence.ran() {
            Lesson::Broken
        } else if !self.evidence.ran() || failed < before {
            Lesson::Better { failed, before }
        } else if failed > before {
            Lesson::Worse { failed, before }
        } else if evidence.said == self.evidence.said {
            Lesson::Same
        } else {
            Lesson::Moved
        }
    }

    fn look_at_lines(&mut self) {
        for line in &self.evidence.lines {
            *self.weights.entry(*line).or_default() += 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(failed: u64, said: &str) -> Evidence {
        Evidence { passed: 5 - failed, failed, said: said.split_whitespace().map(str::to_owned).collect(), lines: [].into() }
    }

    #[test]
    fn it_leaves_lines_that_do_not_matter_and_keeps_what_helps() {
        let text = "def f(a, b):\n    c = a > 3\n    return c + b < 7\n";
        let mut search = Search::new(text.into(), Language::Python, evidence(3, "x"));
        let first = search.next().unwrap();
        assert_eq!(first.edit.line, 2);
        assert_eq!(search.learn(evidence(3, "x")), Some(Lesson::Same));
        let second = search.next().unwrap();
        assert_eq!(second.edit.line, 3);
        assert_eq!(search.learn(evidence(1, "y")), Some(Lesson::Better { failed: 1, before: 3 }));
        assert_eq!(search.text(), second.text);
        while let Some(trial) = search.next() {
            assert_ne!(trial.text, text, "what was tried is not tried again");
            search.learn(evidence(2, "z"));
        }
        assert_eq!(search.evidence().failed, 1);
    }
}
