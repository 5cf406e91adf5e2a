use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::weights::read_json;

/// Labels that a configuration may name; beyond it the file is taken for broken.
const MAX_LABELS: usize = 1 << 20;

/// What `config.json` says about the labels of a classifier.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LabelConfig {
    /// At least one, each once, in the order of the logits.
    pub(crate) names: Vec<String>,
    pub(crate) problem: Problem,
    /// What sentence-transformers applies to the logit of a cross-encoder, where the file says so: a path of a class in Python.
    pub(crate) score_activation: Option<String>,
}

/// What logits of a classifier mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Problem {
    /// One label fits: softmax.
    #[serde(rename = "single_label_classification")]
    SingleLabel,
    /// Any number of labels fits: a sigmoid each.
    #[serde(rename = "multi_label_classification")]
    MultiLabel,
    /// They are quantities.
    #[serde(rename = "regression")]
    Regression,
}

impl LabelConfig {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let file: LabelFile = read_json(&path)?;
        let names = file.names().map_err(|reason| Error::malformed(&path, reason))?;
        let usual = if names.len() == 1 { Problem::MultiLabel } else { Problem::SingleLabel };
        Ok(Self { names, problem: file.problem_type.unwrap_or(usual), score_activation: file.score_activation() })
    }
}

#[derive(Deserialize)]
struct LabelFile {
    id2label: Option<BTreeMap<String, String>>,
    num_labels: Option<usize>,
    problem_type: Option<Problem>,
    sentence_transformers: Option<SentenceTransformersFile>,
    /// Where versions before 4 kept it.
    sbert_ce_default_activation_function: Option<String>,
}

#[derive(Deserialize)]
struct SentenceTransformersFile {
    activation_fn: Option<String>,
}

impl LabelFile {
    /// Names in the order of the logits; two without a name where the file says nothing, as in transformers.
    fn names(&self) -> Result<Vec<String>, String> {
        let Some(names) = &self.id2label else {
            let count = self.num_labels.unwrap_or(2);
            let fits = (1..=MAX_LABELS).contains(&count);
            return if fits { Ok((0..count).map(|i| format!("LABEL_{i}")).collect()) } else { Err(format!("{count} labels")) };
        };
        let name = |i: usize| names.get(&i.to_string()).cloned().ok_or_else(|| format!("id2label has no label {i} of {}", names.len()));
        let listed: Vec<String> = (0..names.len()).map(name).collect::<Result<_, _>>()?;
        let distinct: HashSet<&String> = listed.iter().collect();
        match (listed.len(), distinct.len()) {
            (0, _) => Err("id2label is empty".to_owned()),
            (all, distinct) if distinct < all => Err(format!("id2label has {distinct} distinct names for {all} labels")),
            _ => Ok(listed),
        }
    }

    fn score_activation(&self) -> Option<String> {
        let new = self.sentence_transformers.as_ref().and_then(|file| file.activation_fn.clone());
        new.or_else(|| self.sbert_ce_default_activation_function.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(json: &str) -> Result<Vec<String>, String> {
        serde_json::from_str::<LabelFile>(json).unwrap().names()
    }

    #[test]
    fn labels_stand_in_the_order_of_their_numbers() {
        let listed: Vec<String> = (0..12).map(|i| format!(r#""{i}": "l{i}""#)).collect();
        let expected: Vec<String> = (0..12).map(|i| format!("l{i}")).collect();
        assert_eq!(names(&format!(r#"{{"id2label": {{{}}}}}"#, listed.join(","))).unwrap(), expected);
        assert_eq!(names("{}").unwrap(), ["LABEL_0", "LABEL_1"]);
        assert_eq!(names(r#"{"num_labels": 1}"#).unwrap(), ["LABEL_0"]);
    }

    #[test]
    fn labels_that_make_no_sense_are_refused() {
        for json in [
            r#"{"id2label": {}}"#,
            r#"{"id2label": {"1": "a"}}"#,
            r#"{"id2label": {"0": "a", "1": "a"}}"#,
            r#"{"num_labels": 0}"#,
            r#"{"num_labels": 1152921504606846976}"#,
        ] {
            assert!(names(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_activation_of_scores_is_found_where_old_and_new_versions_keep_it() {
        let activation = |json: &str| serde_json::from_str::<LabelFile>(json).unwrap().score_activation();
        assert_eq!(activation(r#"{"sentence_transformers": {"activation_fn": "a.Sigmoid", "version": "5"}}"#).unwrap(), "a.Sigmoid");
        assert_eq!(activation(r#"{"sbert_ce_default_activation_function": "a.Identity"}"#).unwrap(), "a.Identity");
        assert_eq!(activation("{}"), None);
    }
}
