use serde::{Deserialize, Serialize};

/// What an attack does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Family {
    /// It tells the model to leave its instructions.
    Override,
    /// It gives the model a role without rules: DAN and its kin.
    Persona,
    /// It wants to see the instructions or the secrets of the model.
    Extraction,
    /// It writes as if it were another part of the conversation.
    Delimiter,
    /// It has something encoded so that nobody sees it.
    Encoding,
    /// It claims a right that the user does not have.
    Privilege,
    /// It forbids the model to refuse or to warn.
    Suppression,
    /// It has tools do what the user did not ask for, or carries data out.
    Tool,
    /// It hides from those who look at the text.
    Hidden,
    /// It speaks, within data, to the assistant that reads them.
    Address,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Override,
        Self::Persona,
        Self::Extraction,
        Self::Delimiter,
        Self::Encoding,
        Self::Privilege,
        Self::Suppression,
        Self::Tool,
        Self::Hidden,
        Self::Address,
    ];

    /// Its name, as in configuration and in findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Persona => "persona",
            Self::Extraction => "extraction",
            Self::Delimiter => "delimiter",
            Self::Encoding => "encoding",
            Self::Privilege => "privilege",
            Self::Suppression => "suppression",
            Self::Tool => "tool",
            Self::Hidden => "hidden",
            Self::Address => "address",
        }
    }
}
