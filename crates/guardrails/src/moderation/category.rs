use serde::{Deserialize, Serialize};

/// A kind of harmful content, as the evaluation set and the API of OpenAI have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Category {
    /// What is meant to arouse, and the sale of sexual services.
    #[serde(rename = "sexual")]
    Sexual,
    /// What sets people at nought for their race, origin, religion, sex, orientation or disability.
    #[serde(rename = "hate")]
    Hate,
    /// What shows or praises death and injury.
    #[serde(rename = "violence")]
    Violence,
    /// What torments or threatens a person.
    #[serde(rename = "harassment")]
    Harassment,
    /// What shows or encourages suicide, self-injury and eating disorders.
    #[serde(rename = "self-harm")]
    SelfHarm,
    /// Sexual content about a person under 18.
    #[serde(rename = "sexual/minors")]
    SexualMinors,
    /// Hate that wishes violence on those hated.
    #[serde(rename = "hate/threatening")]
    HateThreatening,
    /// Violence in graphic detail.
    #[serde(rename = "violence/graphic")]
    ViolenceGraphic,
}

impl Category {
    /// All, in the order of the evaluation set.
    pub const ALL: [Self; 8] = [
        Self::Sexual,
        Self::Hate,
        Self::Violence,
        Self::Harassment,
        Self::SelfHarm,
        Self::SexualMinors,
        Self::HateThreatening,
        Self::ViolenceGraphic,
    ];

    /// The name in findings and configurations, as `sexual/minors`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sexual => "sexual",
            Self::Hate => "hate",
            Self::Violence => "violence",
            Self::Harassment => "harassment",
            Self::SelfHarm => "self-harm",
            Self::SexualMinors => "sexual/minors",
            Self::HateThreatening => "hate/threatening",
            Self::ViolenceGraphic => "violence/graphic",
        }
    }

    /// The code in the evaluation set, as `S3`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Sexual => "S",
            Self::Hate => "H",
            Self::Violence => "V",
            Self::Harassment => "HR",
            Self::SelfHarm => "SH",
            Self::SexualMinors => "S3",
            Self::HateThreatening => "H2",
            Self::ViolenceGraphic => "V2",
        }
    }

    /// The category that a classifier calls `label`, by name or by code.
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == label || category.code() == label)
    }
}
