use serde::{Deserialize, Serialize};

use super::{Measure, Scorer, TextScorer};
use crate::text::{Bleu, Chrf, Letters, Pattern, Rouge, RougeVariant};

/// How far two numbers may be apart, relative to the larger, unless it is stated.
const TOLERANCE: f64 = 1e-6;

/// Which scorer, with its settings. In TOML it is a name, or a table of a name and settings:
///
/// ```toml
/// metrics = ["exact_match", "f1", { numeric = { tolerance = 1e-4 } }, { regex = "(?i)sorry" }, { rouge_l = { stem = true } }]
/// ```
///
/// ```
/// use jarre_eval::{Outcome, Sample, text::ScorerSpec};
///
/// let spec: ScorerSpec = serde_json::from_str(r#"{ "numeric": { "tolerance": 0.01 } }"#)?;
/// let scorer = spec.build();
/// let sample = Sample { target: Some("3.14".into()), extracted: Some("3.1416".into()), ..Sample::default() };
/// assert_eq!(scorer.score(&sample), Outcome::Scored(1.0));
/// assert_eq!((scorer.name().as_str(), scorer.version().as_str()), ("numeric", "1;tolerance=0.01"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// All figures are from 0 to 1. A target may hold several references, as a JSON array of strings: the best one counts. Where an item has an
/// extracted answer, that is scored. Where none was found, `exact_match`, `numeric`, `math` and `choice` give 0 and say so, and the others
/// take the whole output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum ScorerSpec {
    /// `exact_match`: [`exact_match`](crate::text::exact_match).
    ExactMatch,
    /// `contains`: [`contains`](crate::text::contains).
    Contains,
    /// `f1`: [`token_f1`](crate::text::token_f1).
    F1,
    /// `{ regex = ".." }`: whether the pattern matches. Needs no target. Its name is `regex/` and the pattern.
    Regex(Pattern),
    /// `numeric`, with `tolerance` (1e-6): [`numeric_equal`](crate::text::numeric_equal). Unscored where the target is no number.
    Numeric {
        /// How far the numbers may be apart, relative to the larger; from 0 to below 1.
        tolerance: f64,
    },
    /// `math`: [`math_equal`](crate::text::math_equal).
    Math,
    /// `choice`, with `letters` (`ABCDE`): whether both name the same letter. Unscored where the target names none.
    Choice {
        /// The letters that count.
        letters: Letters,
    },
    /// `rouge_1`, `rouge_2` and `rouge_l`, with `stem` (false): the F1 of [`Rouge`].
    Rouge {
        /// Which ROUGE.
        variant: RougeVariant,
        /// Whether stems are compared.
        stem: bool,
    },
    /// `chrf`, with `words` (false; true is chrF++) and `lowercase` (false): [`Chrf`] of the sentence, over 100.
    Chrf(Chrf),
    /// `bleu`, with `lowercase` (false) and `effective_order` (true): [`Bleu`] of the sentence, over 100. A corpus's BLEU is not the mean of
    /// these.
    Bleu(Bleu),
    /// `edit_similarity`: [`edit_similarity`](crate::text::edit_similarity).
    EditSimilarity,
}

impl ScorerSpec {
    /// The scorer.
    pub fn build(&self) -> Box<dyn Scorer> {
        let (name, settings, measure) = match self {
            Self::Regex(pattern) => return Box::new(TextScorer::of_pattern(pattern)),
            Self::ExactMatch => ("exact_match", String::new(), Measure::ExactMatch),
            Self::Contains => ("contains", String::new(), Measure::Contains),
            Self::F1 => ("f1", String::new(), Measure::F1),
            Self::Numeric { tolerance } => ("numeric", format!(";tolerance={tolerance}"), Measure::Numeric(*tolerance)),
            Self::Math => ("math", String::new(), Measure::Math),
            Self::Choice { letters } => ("choice", format!(";letters={}", String::from(letters.clone())), Measure::Choice(letters.clone())),
            Self::Rouge { variant, stem } => (rouge_name(*variant), format!(";stem={stem}"), Measure::Rouge(rouge(*variant, *stem))),
            Self::Chrf(chrf) => (if chrf.words { "chrf++" } else { "chrf" }, format!(";{}", chrf.signature(1)), Measure::Chrf(*chrf)),
            Self::Bleu(bleu) => ("bleu", format!(";{}", bleu.signature(1)), Measure::Bleu(*bleu)),
            Self::EditSimilarity => ("edit_similarity", String::new(), Measure::EditSimilarity),
        };
        Box::new(TextScorer { name: name.to_owned(), settings, measure })
    }
}

fn rouge(variant: RougeVariant, stem: bool) -> Rouge {
    let rouge = Rouge::new(variant);
    if stem { rouge.with_stemming() } else { rouge }
}

fn rouge_name(variant: RougeVariant) -> &'static str {
    match variant {
        RougeVariant::One => "rouge_1",
        RougeVariant::Two => "rouge_2",
        RougeVariant::L => "rouge_l",
    }
}

/// The forms of [`ScorerSpec`] in TOML and JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a scorer: one of exact_match, contains, f1, numeric, math, choice, rouge_1, rouge_2, rouge_l, chrf, bleu and \
                 edit_similarity, or a table like { numeric = { tolerance = 1e-4 } } or { regex = \"..\" }"
)]
enum Written {
    Name(Name),
    Set(Set),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    ExactMatch,
    Contains,
    F1,
    Numeric,
    Math,
    Choice,
    #[serde(rename = "rouge_1")]
    RougeOne,
    #[serde(rename = "rouge_2")]
    RougeTwo,
    RougeL,
    Chrf,
    Bleu,
    EditSimilarity,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Set {
    Regex(Pattern),
    Numeric(Numeric),
    Choice(Choice),
    #[serde(rename = "rouge_1")]
    RougeOne(Stem),
    #[serde(rename = "rouge_2")]
    RougeTwo(Stem),
    RougeL(Stem),
    Chrf(Chrf),
    Bleu(SentenceBleu),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numeric {
    tolerance: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    letters: Letters,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Stem {
    stem: bool,
}

/// [`Bleu`] with the defaults of one sentence.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SentenceBleu {
    lowercase: bool,
    effective_order: bool,
}

impl Default for SentenceBleu {
    fn default() -> Self {
        Self { lowercase: false, effective_order: true }
    }
}

impl TryFrom<Written> for ScorerSpec {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Name(name) => Ok(name.into()),
            Written::Set(Set::Numeric(Numeric { tolerance })) if !(0.0..1.0).contains(&tolerance) => {
                Err(format!("a tolerance of {tolerance} makes no sense; write one from 0 to below 1"))
            }
            Written::Set(set) => Ok(set.into()),
        }
    }
}

impl From<Name> for ScorerSpec {
    fn from(name: Name) -> Self {
        let rouge = |variant| Self::Rouge { variant, stem: false };
        match name {
            Name::ExactMatch => Self::ExactMatch,
            Name::Contains => Self::Contains,
            Name::F1 => Self::F1,
            Name::Numeric => Self::Numeric { tolerance: TOLERANCE },
            Name::Math => Self::Math,
            Name::Choice => Self::Choice { letters: Letters::default() },
            Name::RougeOne => rouge(RougeVariant::One),
            Name::RougeTwo => rouge(RougeVariant::Two),
            Name::RougeL => rouge(RougeVariant::L),
            Name::Chrf => Self::Chrf(Chrf::default()),
            Name::Bleu => Self::Bleu(Bleu::sentence_level()),
            Name::EditSimilarity => Self::EditSimilarity,
        }
    }
}

impl From<Set> for ScorerSpec {
    fn from(set: Set) -> Self {
        let rouge = |variant, Stem { stem }| Self::Rouge { variant, stem };
        match set {
            Set::Regex(pattern) => Self::Regex(pattern),
            Set::Numeric(Numeric { tolerance }) => Self::Numeric { tolerance },
            Set::Choice(Choice { letters }) => Self::Choice { letters },
            Set::RougeOne(stem) => rouge(RougeVariant::One, stem),
            Set::RougeTwo(stem) => rouge(RougeVariant::Two, stem),
            Set::RougeL(stem) => rouge(RougeVariant::L, stem),
            Set::Chrf(chrf) => Self::Chrf(chrf),
            Set::Bleu(SentenceBleu { lowercase, effective_order }) => Self::Bleu(Bleu { lowercase, effective_order }),
        }
    }
}

impl From<ScorerSpec> for Written {
    fn from(spec: ScorerSpec) -> Self {
        match spec {
            ScorerSpec::ExactMatch => Self::Name(Name::ExactMatch),
            ScorerSpec::Contains => Self::Name(Name::Contains),
            ScorerSpec::F1 => Self::Name(Name::F1),
            ScorerSpec::Math => Self::Name(Name::Math),
            ScorerSpec::EditSimilarity => Self::Name(Name::EditSimilarity),
            ScorerSpec::Regex(pattern) => Self::Set(Set::Regex(pattern)),
            ScorerSpec::Numeric { tolerance } => Self::Set(Set::Numeric(Numeric { tolerance })),
            ScorerSpec::Choice { letters } => Self::Set(Set::Choice(Choice { letters })),
            ScorerSpec::Rouge { variant, stem } => Self::Set(match variant {
                RougeVariant::One => Set::RougeOne(Stem { stem }),
                RougeVariant::Two => Set::RougeTwo(Stem { stem }),
                RougeVariant::L => Set::RougeL(Stem { stem }),
            }),
            ScorerSpec::Chrf(chrf) => Self::Set(Set::Chrf(chrf)),
            ScorerSpec::Bleu(Bleu { lowercase, effective_order }) => Self::Set(Set::Bleu(SentenceBleu { lowercase, effective_order })),
        }
    }
}
