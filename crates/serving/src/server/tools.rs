use jarre_openai::{ApiError, Tool};

use super::failure::refused;

/// Refuses tools: the model's calls are not read out of its text.
pub(super) fn check(tools: &[Tool]) -> Result<(), ApiError> {
    if tools.is_empty() { Ok(()) } else { Err(refused("tools", "cannot be used: this server does not read tool calls")) }
}
