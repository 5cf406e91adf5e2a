use super::{
    evidence::Evidence,
    search::{Lesson, Search, Trial},
};
use crate::{
    models::{
        actor::{Actor, Analysis, Turn},
        calls,
    },
    tasks::Language,
};

/// Mends a program by search: looks at it, runs the tests, changes what they point to, and tells after each failure what it learnt.
#[derive(Debug)]
pub(crate) struct Repair {
    path: String,
    text: String,
    language: Language,
    step: Step,
    search: Option<Search>,
    /// The trial whose tests ran last, and what it taught.
    last: Option<(Trial, Lesson)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Look,
    FirstTests,
    Change,
    Tests,
    Done,
}

impl Repair {
    /// Mends the program `text`, which lies at `path`.
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>, language: Language) -> Self {
        Self { path: path.into(), text: text.into(), language, step: Step::Look, search: None, last: None }
    }

    fn read(&mut self, seen: &str) {
        let evidence = Evidence::read(seen);
        match &mut self.search {
            None => self.search = Some(Search::new(self.text.clone(), self.language, evidence)),
            Some(search) => {
                if let (Some(trial), Some(lesson)) = (search.trial(), search.learn(evidence)) {
                    self.last = Some((trial, lesson));
                }
            }
        }
    }

    fn change(&mut self) -> Turn {
        let Some(search) = &mut self.search else { return calls::test("I run the tests first") };
        if search.evidence().is_green() || matches!(self.last, Some((_, Lesson::Passed))) {
            self.step = Step::Done;
            return calls::finish("the tests pass", "mended");
        }
        if let Some(trial) = search.next() {
            self.step = Step::Tests;
            return calls::write(&told(&trial), &self.path, &trial.text);
        }
        self.step = Step::Done;
        calls::give_up("no small change is left to try", "no small change of this program passes its tests")
    }
}

impl Actor for Repair {
    fn plan(&mut self) -> String {
        format!("1. Read {}. 2. Run the tests. 3. Change one thing at a time where they point, keep what makes fewer fail.", self.path)
    }

    fn act(&mut self, seen: &str) -> Turn {
        match self.step {
            Step::Look => {
                self.step = Step::FirstTests;
                calls::read("I look at the program", &self.path)
            }
            Step::FirstTests => {
                self.step = Step::Change;
                calls::test("I see what fails")
            }
            Step::Change => {
                self.read(seen);
                self.change()
            }
            Step::Tests => {
                self.step = Step::Change;
                calls::test("I run the tests again")
            }
            Step::Done => calls::finish("nothing is left to do", "done"),
        }
    }

    /// Called before the next step, so what the tests said is read here and not again.
    fn reflect(&mut self, seen: &str) -> Analysis {
        if self.step == Step::Change {
            self.read(seen);
        }
        let failed = self.search.as_ref().map_or(0, |search| search.evidence().failed);
        // A heading names a test, the lines below it say what is wrong.
        let said = self.search.iter().flat_map(|search| &search.evidence().said).find(|line| !line.starts_with("---"));
        let first = said.map_or("", String::as_str);
        let what = format!("{failed} tests fail; one says: {first}");
        match &self.last {
            None => Analysis {
                what,
                why: "the program is as it was found, nothing was changed yet".into(),
                instead: "change comparisons and constants first, on the lines that the tests name".into(),
            },
            Some((trial, lesson)) => Analysis { what, why: why(trial, lesson), instead: instead(trial, lesson).into() },
        }
    }
}

fn told(trial: &Trial) -> String {
    let edit = &trial.edit;
    format!("Line {}: {}, `{}` becomes `{}`", edit.line, edit.rule.told(), edit.before, edit.after)
}

fn why(trial: &Trial, lesson: &Lesson) -> String {
    let did = match lesson {
        Lesson::Passed => "all tests pass".to_owned(),
        Lesson::Better { failed, before } => format!("{failed} fail in the place of {before}, so this was one fault and there is another"),
        Lesson::Moved => "as many fail with other values, so the line matters to what fails and the change was the wrong one".to_owned(),
        Lesson::Same => "the tests say the same, so what fails does not depend on it".to_owned(),
        Lesson::Worse { failed, before } => format!("{failed} fail in the place of {before}, so it was right as it was"),
        Lesson::Broken => "nothing could be run: it did not compile or did not end".to_owned(),
    };
    format!("{}: {did}", told(trial))
}

fn instead(trial: &Trial, lesson: &Lesson) -> &'static str {
    match lesson {
        Lesson::Passed => "nothing",
        Lesson::Better { .. } => "keep it and look for the other fault",
        Lesson::Moved => "put it back and change something else on the same line",
        Lesson::Same | Lesson::Worse { .. } => "put it back and look at another line",
        Lesson::Broken if trial.edit.before.is_empty() => "put it back",
        Lesson::Broken => "put it back and keep to changes that leave its form",
    }
}
