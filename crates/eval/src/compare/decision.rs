use std::fmt;

use serde::{Deserialize, Serialize};

/// What a gate decides, as a whole and in each of its checks. Ordered by what prevails: a whole is the greatest of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The candidate keeps to it.
    Pass,
    /// The data do not tell; more items would.
    Inconclusive,
    /// It does not.
    Fail,
    /// The runs cannot be compared.
    Incomparable,
}

impl Decision {
    /// The code that a program ends with: 0, 101, 100 and 102.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 100,
            Self::Inconclusive => 101,
            Self::Incomparable => 102,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Incomparable => "incomparable",
        })
    }
}

/// One thing that a gate looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What: `quality`, `slice algebra`, `latency`.
    pub name: String,
    /// What comes of it.
    pub decision: Decision,
    /// Why, in a sentence with its figures.
    pub words: String,
}

impl Check {
    pub(super) fn new(name: impl Into<String>, decision: Decision, words: impl Into<String>) -> Self {
        Self { name: name.into(), decision, words: words.into() }
    }
}
