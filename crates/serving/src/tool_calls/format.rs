use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// How a family of models writes calls of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolFormat {
    /// `<tool_call>{"name": .., "arguments": {..}}</tool_call>`, several in turn: Hermes, Qwen.
    Hermes,
    /// `{"name": .., "parameters": {..}}`, alone or behind `<|python_tag|>`, several with `;` between them: Llama 3.
    Llama3,
    /// `[TOOL_CALLS] [{"name": .., "arguments": {..}}, ..]`, or such a list alone, where the marker is a special token: Mistral.
    Mistral,
    /// An object with a `name` and `arguments` or `parameters`, or a list of them, as the whole answer.
    Json,
}

impl ToolFormat {
    const ALL: [Self; 4] = [Self::Hermes, Self::Llama3, Self::Mistral, Self::Json];

    /// The format that the source text of a chat template shows; [`Json`](Self::Json) where it shows none.
    ///
    /// ```
    /// use jarre_serving::ToolFormat;
    ///
    /// assert_eq!(ToolFormat::detect("{{- '<tool_call>\\n' }}"), ToolFormat::Hermes);
    /// assert_eq!(ToolFormat::detect("{{ message.content }}"), ToolFormat::Json);
    /// ```
    pub fn detect(template: &str) -> Self {
        let marked = [Self::Hermes, Self::Mistral, Self::Llama3];
        let shown = marked.into_iter().find(|format| format.marker().is_some_and(|marker| template.contains(marker)));
        let of_llama = template.contains("<|start_header_id|>") && template.contains("parameters");
        shown.unwrap_or(if of_llama { Self::Llama3 } else { Self::Json })
    }

    /// The name by which settings call it: `hermes`, `llama3`, `mistral` or `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hermes => "hermes",
            Self::Llama3 => "llama3",
            Self::Mistral => "mistral",
            Self::Json => "json",
        }
    }

    /// What stands before a call in the midst of a text.
    pub(super) fn marker(self) -> Option<&'static str> {
        match self {
            Self::Hermes => Some("<tool_call>"),
            Self::Llama3 => Some("<|python_tag|>"),
            Self::Mistral => Some("[TOOL_CALLS]"),
            Self::Json => None,
        }
    }

    /// What stands behind a call.
    pub(super) fn closing(self) -> Option<&'static str> {
        (self == Self::Hermes).then_some("</tool_call>")
    }

    /// Whether an answer that begins with `first` may be a call without a marker.
    pub(super) fn begins_bare(self, first: char) -> bool {
        match self {
            Self::Hermes => false,
            Self::Llama3 => first == '{',
            Self::Mistral => first == '[',
            Self::Json => matches!(first, '{' | '['),
        }
    }

    /// The key of the arguments as models of this format are taught it.
    pub(super) fn arguments_key(self) -> &'static str {
        if self == Self::Llama3 { "parameters" } else { "arguments" }
    }
}

impl fmt::Display for ToolFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ToolFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|format| format.name() == name);
        known.ok_or_else(|| Error::Invalid(format!("`{name}` is no format of tool calls; there are hermes, llama3, mistral and json")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for format in ToolFormat::ALL {
            assert_eq!(format.to_string().parse::<ToolFormat>().unwrap(), format);
        }
        assert!("xml".parse::<ToolFormat>().is_err());
    }

    #[test]
    fn templates_show_their_format() {
        let template = |name: &str| {
            std::fs::read_to_string(format!("{}/../transformer/tests/chat/templates/{name}.jinja", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        let of = |name: &str| ToolFormat::detect(&template(name));
        assert_eq!(
            [of("qwen2_5"), of("qwen3"), of("mistral"), of("llama3")],
            [ToolFormat::Hermes, ToolFormat::Hermes, ToolFormat::Mistral, ToolFormat::Llama3]
        );
        assert_eq!([of("gemma2"), of("zephyr")], [ToolFormat::Json; 2]);
    }
}
