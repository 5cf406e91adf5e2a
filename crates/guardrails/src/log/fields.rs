use std::{
    error::Error,
    fmt::{self, Write},
};

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

use super::{
    Redactor,
    escape::{read_escapes, write_on_one_line},
};

/// Formats fields as `message name=value other="text"`, on one line, without what a [`Redactor`] hides.
///
/// Values are read by the guards as they were, before they are escaped, all of an event at once. That takes one buffer an event, beside what
/// guards need.
#[derive(Clone, Debug)]
pub struct RedactedFields {
    redactor: Redactor,
}

impl RedactedFields {
    /// Hides what `redactor` does.
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor }
    }
}

impl<'writer> FormatFields<'writer> for RedactedFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut read = Read { redactor: &self.redactor, text: String::with_capacity(256), result: Ok(()) };
        fields.record(&mut read);
        read.result?;
        self.redactor.redact(&mut read.text);
        write_on_one_line(&mut writer, &read.text)
    }
}

/// The fields as text, with hidden ones left out.
struct Read<'a> {
    redactor: &'a Redactor,
    text: String,
    result: fmt::Result,
}

impl Read<'_> {
    fn value(&mut self, field: &Field, write: impl FnOnce(&mut String) -> fmt::Result) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let name = field.name();
        if name != "message" {
            self.text.push_str(name.strip_prefix("r#").unwrap_or(name));
            self.text.push('=');
        }
        if self.redactor.hides(name) {
            self.text.push_str("[hidden]");
            return;
        }
        let written = write(&mut self.text);
        self.result = self.result.and(written);
    }
}

impl Visit for Read<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_message = field.name() == "message";
        self.value(field, |text| {
            if is_message {
                return text.write_str(value);
            }
            write!(text, "\"{value}\"")
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.value(field, |text| {
            write!(text, "{value}")?;
            let mut source = value.source();
            while let Some(cause) = source {
                write!(text, ": {cause}")?;
                source = cause.source();
            }
            Ok(())
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let is_message = field.name() == "message";
        self.value(field, |text| {
            let from = text.len();
            write!(text, "{value:?}")?;
            if !is_message {
                read_escapes(from, text);
            }
            Ok(())
        });
    }
}
