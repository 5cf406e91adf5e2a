use crate::{Error, Result};

/// The name, where a run may have it: it can stand in a file's name and in an address.
///
/// # Errors
/// [`Error::Invalid`] where it is not 1 to 128 of `A-Z a-z 0-9 - _ .` beginning with a letter or a digit.
pub fn checked_name(run: &str) -> Result<&str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=128).contains(&run.len()) && run.chars().all(allowed) && run.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(run);
    }
    let shown: String = run.chars().take(40).collect();
    Err(Error::Invalid(format!(
        "a run cannot be named {shown:?}: take 1 to 128 letters, digits, `-`, `_` and `.`, beginning with a letter or a digit"
    )))
}
