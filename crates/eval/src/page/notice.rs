use serde::{Deserialize, Serialize};

/// A remark above the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// What is to be known.
    pub text: String,
    /// The fields in which runs differ that should not, where the remark is about these.
    pub differences: Vec<Difference>,
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing.
    #[default]
    Info,
    /// To be kept in mind when reading the figures.
    Warning,
    /// The figures do not say what they seem to.
    Problem,
}

/// A field in which runs differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    /// The field: `dataset.digest`.
    pub field: String,
    /// Its value in each variant, in the order of the report's variants.
    pub values: Vec<String>,
}

impl Notice {
    /// The red one: these fields differ, so the runs cannot be compared.
    pub fn not_comparable(differences: Vec<Difference>) -> Self {
        let fields: Vec<&str> = differences.iter().map(|difference| difference.field.as_str()).collect();
        let text = format!("Not comparable: the runs differ in {}.", fields.join(", "));
        Self { level: Level::Problem, text, differences }
    }
}

impl From<Level> for jarre_report::Notice {
    fn from(level: Level) -> Self {
        match level {
            Level::Info => Self::Info,
            Level::Warning => Self::Warning,
            Level::Problem => Self::Problem,
        }
    }
}
