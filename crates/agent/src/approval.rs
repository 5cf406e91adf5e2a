use jarre_core::ToolCall;
use serde::{Deserialize, Serialize};

/// A call that a person has to allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The call.
    pub call: ToolCall,
    /// Why it is asked, in words: the rule.
    pub why: String,
    /// What an approval has to name.
    pub token: ApprovalToken,
}

/// Binds an approval to one call of one run: a hash over run, call, tool and arguments. An approval of a call that was changed names another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApprovalToken(String);

impl ApprovalToken {
    /// The token of `call` in the run `run`, where it is the `index`th that the run asked for.
    pub fn of(run: &str, index: u64, call: &ToolCall) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("jarre-agent 2026 approval");
        for field in [run.as_bytes(), &index.to_le_bytes(), call.id.as_bytes(), call.name.as_bytes(), call.arguments.as_bytes()] {
            hasher.update(&(field.len() as u64).to_le_bytes()).update(field);
        }
        Self(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ApprovalToken {
    fn from(token: String) -> Self {
        Self(token)
    }
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It may be done.
    Approved,
    /// It may be done with these arguments.
    Edited {
        /// JSON text in the place of what the model wrote.
        arguments: String,
    },
    /// It may not.
    Denied {
        /// Why, for the model to read.
        reason: String,
    },
}
