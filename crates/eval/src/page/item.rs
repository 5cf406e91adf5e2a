use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use jarre_core::{Cost, Usage};
use serde::{Deserialize, Serialize};

use crate::{Sample, Score};

/// A row of the matrix: what was asked, and what each variant answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Item {
    /// The item's id.
    pub id: String,
    /// What was asked, as people would read it.
    pub input: String,
    /// What was wanted.
    pub target: Option<String>,
    /// The unit that was drawn at random, where items share one.
    pub cluster: Option<String>,
    /// The fixed category.
    pub stratum: Option<String>,
    /// Further marks to search for.
    pub tags: Vec<String>,
    /// For each variant of the report, in its order, the answers of all repeats. Nothing where the variant was not asked; what is missing at
    /// the end counts as nothing, and what is beyond the variants is left out.
    pub answers: Vec<Vec<Answer>>,
}

/// One answer to an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// What the model wrote.
    pub output: String,
    /// The part of it that is the answer.
    pub extracted: Option<String>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Tokens read and written.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
    /// From the request to the end of the answer.
    pub latency: Option<Duration>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// One a metric, with the scorer's reasons.
    pub scores: Vec<Score>,
}

impl Item {
    /// The items of runs side by side, one list of samples a variant: by id, in the order in which ids are first met. Samples of one id are
    /// repeats, in the order of the list; input, target, cluster and stratum are those of the first.
    pub fn collect<'a>(runs: impl IntoIterator<Item = &'a [Sample]>) -> Vec<Self> {
        let (mut items, mut places): (Vec<Self>, HashMap<&str, usize>) = (Vec::new(), HashMap::new());
        for (variant, run) in runs.into_iter().enumerate() {
            for sample in run {
                let place = *places.entry(&sample.item).or_insert_with(|| {
                    items.push(Self::asked(sample));
                    items.len() - 1
                });
                let answers = &mut items[place].answers;
                answers.resize_with(answers.len().max(variant + 1), Vec::new);
                answers[variant].push(sample.clone().into());
            }
        }
        items
    }

    /// The answers of a variant.
    pub fn answers_of(&self, variant: usize) -> &[Answer] {
        self.answers.get(variant).map_or(&[], Vec::as_slice)
    }

    fn asked(sample: &Sample) -> Self {
        Self {
            id: sample.item.clone(),
            input: sample.input.clone(),
            target: sample.target.clone(),
            cluster: sample.cluster.clone(),
            stratum: sample.stratum.clone(),
            ..Self::default()
        }
    }
}

impl Answer {
    /// What counts as the answer: the extracted part, or the whole output where none was looked for or found.
    pub fn given(&self) -> &str {
        self.extracted.as_deref().unwrap_or_else(|| self.output.trim())
    }
}

impl From<Sample> for Answer {
    fn from(sample: Sample) -> Self {
        Self {
            output: sample.output,
            extracted: sample.extracted,
            finish_reason: sample.finish_reason,
            usage: sample.usage,
            cost: sample.cost,
            latency: Some(sample.latency),
            error: sample.error,
            scores: sample.scores,
        }
    }
}

/// How many different answers the repeats gave, those that failed left out.
pub(super) fn distinct(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.error.is_none()).map(Answer::given).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(item: &str, output: &str) -> Sample {
        Sample { item: item.to_owned(), output: output.to_owned(), ..Sample::default() }
    }

    #[test]
    fn samples_of_one_id_are_one_row() {
        let first = [sample("a", "1"), sample("a", "2"), sample("b", "3")];
        let second = [sample("c", "4"), sample("a", "5")];
        let items = Item::collect([&first[..], &second[..]]);
        let outputs = |item: &Item, variant| item.answers_of(variant).iter().map(|answer| answer.output.clone()).collect::<Vec<_>>();
        assert_eq!(items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((outputs(&items[0], 0), outputs(&items[0], 1)), (vec!["1".to_owned(), "2".to_owned()], vec!["5".to_owned()]));
        assert_eq!((items[1].answers_of(1).len(), items[2].answers_of(0).len(), items[2].answers_of(7).len()), (0, 0, 0));
    }

    #[test]
    fn repeats_differ_by_their_extracted_answers() {
        let answer = |output: &str, extracted: Option<&str>| Answer {
            output: output.to_owned(),
            extracted: extracted.map(str::to_owned),
            ..Answer::default()
        };
        let failed = Answer { error: Some("time".to_owned()), ..Answer::default() };
        assert_eq!(distinct(&[answer("so 4", Some("4")), answer("thus 4", Some("4")), failed]), 1);
        assert_eq!(distinct(&[answer("4 ", None), answer("4", None), answer("5", None)]), 2);
    }
}
