use std::fmt::Write;

use super::{Decision, Gate};

impl Gate {
    /// The checks as a table for a pull request.
    pub fn to_markdown(&self) -> String {
        let mut text =
            format!("### {} {}: {} against {}\n\n", mark(self.decision), self.decision, shown(&self.candidate), shown(&self.baseline));
        text.push_str("| | Check | Result |\n| :-: | :-- | :-- |\n");
        for check in &self.checks {
            writeln!(text, "| {} | {} | {} |", mark(check.decision), shown(&check.name), shown(&check.words)).expect("a string takes it");
        }
        text
    }

    /// The checks as `JUnit`'s XML, as continuous integration reads it: what fails is a failure, what cannot be compared an error, what
    /// cannot be told a failure that says so.
    pub fn to_junit(&self) -> String {
        let count = |decision| self.checks.iter().filter(|check| check.decision == decision).count();
        let failures = count(Decision::Fail) + count(Decision::Inconclusive);
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let suite = escaped(&format!("{} against {}", self.candidate, self.baseline));
        let (tests, errors) = (self.checks.len(), count(Decision::Incomparable));
        writeln!(xml, "<testsuite name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">")
            .expect("a string takes it");
        for check in &self.checks {
            let (name, words) = (escaped(&check.name), escaped(&check.words));
            let inside = match check.decision {
                Decision::Pass => format!("<system-out>{words}</system-out>"),
                Decision::Fail | Decision::Inconclusive => format!("<failure type=\"{}\" message=\"{words}\"/>", check.decision),
                Decision::Incomparable => format!("<error type=\"incomparable\" message=\"{words}\"/>"),
            };
            writeln!(xml, "  <testcase classname=\"jarre-eval.gate\" name=\"{name}\">{inside}</testcase>").expect("a string takes it");
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

fn mark(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "✅",
        Decision::Inconclusive => "❔",
        Decision::Fail => "❌",
        Decision::Incomparable => "⛔",
    }
}

/// Text that ends no cell and starts no markup.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '#' => shown.extend(['\\', character]),
            character if character.is_control() => shown.push(' '),
            character => shown.push(character),
        }
    }
    shown
}

/// Text within XML: markup as entities, and what XML 1.0 has no place for as a space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Check;

    #[test]
    fn names_that_are_markup_stay_names() {
        let checks = vec![Check::new("slice <b>|\u{0}", Decision::Fail, "\"5 & 6\"\n"), Check::new("ok", Decision::Pass, "fine")];
        let gate = Gate { baseline: "a".into(), candidate: "b".into(), decision: Decision::Fail, checks };
        let xml = gate.to_junit();
        assert!(xml.contains("name=\"slice &lt;b&gt;| \"><failure type=\"fail\" message=\"&quot;5 &amp; 6&quot; \"/>"), "{xml}");
        assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""));
        let markdown = gate.to_markdown();
        assert!(markdown.contains("| ❌ | slice \\<b\\>\\|  | \"5 \\& 6\"  |"), "{markdown}");
    }
}
