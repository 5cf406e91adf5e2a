use std::fmt::{Arguments, Display, Write};

/// A page as Prometheus reads it: each metric after a line that says what it is, and one of its type.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.metric(name, help, "gauge", value);
    }

    /// One that only grows while the process lives.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.metric(name, help, "counter", value);
    }

    /// A metric with a value for each of `label`.
    pub(super) fn labelled<L: Display>(&mut self, head: [&str; 3], label: &str, values: impl IntoIterator<Item = (L, f64)>) {
        let [name, help, kind] = head;
        self.head(name, help, kind);
        for (of, value) in values {
            self.line(format_args!("jarre_kv_{name}{{{label}=\"{of}\"}} {value}"));
        }
    }

    fn metric(&mut self, name: &str, help: &str, kind: &str, value: f64) {
        self.head(name, help, kind);
        self.line(format_args!("jarre_kv_{name} {value}"));
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP jarre_kv_{name} {help}\n# TYPE jarre_kv_{name} {kind}"));
    }

    fn line(&mut self, line: Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string can always be written to");
    }
}
