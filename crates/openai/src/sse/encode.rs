use std::fmt;

use serde::Serialize;

use super::Event;

/// The event that ends a stream of OpenAI's API.
pub const DONE: &str = "data: [DONE]\n\n";

/// An event whose data is `value` as JSON, which has no line breaks.
///
/// # Errors
/// Where `value` cannot be written as JSON, which wire types always can.
pub fn data(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(format!("data: {}\n\n", serde_json::to_string(value)?))
}

/// A comment, which readers pass over: sent now and then, it keeps proxies from closing a silent stream.
pub fn comment(text: &str) -> String {
    format!(": {}\n\n", unified(text).replace('\n', "\n: "))
}

/// The event as it stands in a stream. Line breaks of every kind are read back as `\n`; in a name or an id they are left out, as there is
/// no way to write them.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (field, value) in [("event", &self.event), ("id", &self.id)] {
            if let Some(value) = value {
                writeln!(f, "{field}: {}", value.replace(['\r', '\n', '\0'], ""))?;
            }
        }
        unified(&self.data).split('\n').try_for_each(|line| writeln!(f, "data: {line}"))?;
        writeln!(f)
    }
}

/// `text` with line feeds for its line breaks.
fn unified(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
