use rusqlite::types::Value;

use super::{Comparison, Condition, Field, Filter, Literal, NumberField, Test, TextField};
use crate::track::run::STATUS;

/// A condition in SQL on the run `r` of the experiment `e`, whose values are parameters. It is true or false, never null.
pub(in crate::track) struct Sql {
    /// The values, that of the parameter 1 first.
    pub(in crate::track) values: Vec<Value>,
}

impl Sql {
    /// The parameter 1 is the time, by which runs are seen as interrupted.
    pub(in crate::track) fn new(now: i64) -> Self {
        Self { values: vec![Value::Integer(now)] }
    }

    /// The parameter that stands for a value.
    pub(in crate::track) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// The condition of a filter.
    pub(in crate::track) fn filter(&mut self, filter: &Filter) -> String {
        filter.condition.as_ref().map_or_else(|| "1".to_owned(), |condition| self.condition(condition))
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::All(parts) => self.joined(parts, " AND "),
            Condition::Any(parts) => self.joined(parts, " OR "),
            Condition::Not(inner) => format!("NOT {}", self.condition(inner)),
            Condition::Holds(field, test) => self.holds(field, test),
        }
    }

    fn joined(&mut self, parts: &[Condition], with: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
        format!("({})", parts.join(with))
    }

    fn holds(&mut self, field: &Field, test: &Test) -> String {
        match field {
            Field::Metric(name) => {
                let name = self.bind(name.clone());
                let rows = format!("latest_metric m WHERE m.run = r.n AND m.metric = (SELECT n FROM metric WHERE name = {name})");
                self.exists(&rows, "m.value", test)
            }
            Field::Param(name) => {
                let name = self.bind(name.clone());
                let numbers = matches!(test, Test::Compare(_, Literal::Number(_)));
                let rows = format!("param p WHERE p.run = r.n AND p.name = {name}");
                match test {
                    Test::In { values, negated } => self.param_in(&rows, values, *negated),
                    _ => self.exists(&rows, if numbers { "p.number" } else { "p.text" }, test),
                }
            }
            Field::Tag(name) => {
                let name = self.bind(name.clone());
                self.exists(&format!("tag t WHERE t.run = r.n AND t.name = {name}"), "t.value", test)
            }
            Field::Text(field) => self.attribute(text_column(*field), test),
            Field::Number(field) => self.attribute(number_column(*field), test),
        }
    }

    /// Whether one of `rows`, of which there is one at most, passes the test.
    fn exists(&mut self, rows: &str, column: &str, test: &Test) -> String {
        match test {
            Test::Null => format!("NOT EXISTS (SELECT 1 FROM {rows})"),
            Test::Nan => format!("EXISTS (SELECT 1 FROM {rows} AND {column} IS NULL)"),
            _ => {
                let passes = self.passes(column, test);
                format!("EXISTS (SELECT 1 FROM {rows} AND {passes})")
            }
        }
    }

    /// Whether a setting is one of the values: each text is held to its text, each number to its number.
    fn param_in(&mut self, rows: &str, values: &[Literal], negated: bool) -> String {
        let equal = |literal: &Literal| match literal {
            Literal::Text(_) => "p.text",
            Literal::Number(_) | Literal::Whole(_) => "p.number",
        };
        let tests: Vec<String> = values.iter().map(|literal| format!("{} = {}", equal(literal), self.literal(literal))).collect();
        let not = if negated { "NOT " } else { "" };
        format!("EXISTS (SELECT 1 FROM {rows} AND {not}({}))", tests.join(" OR "))
    }

    fn attribute(&mut self, column: &str, test: &Test) -> String {
        match test {
            Test::Null | Test::Nan => format!("({column} IS NULL)"),
            _ => format!("coalesce({}, 0)", self.passes(column, test)),
        }
    }

    fn passes(&mut self, column: &str, test: &Test) -> String {
        match test {
            Test::Compare(comparison, literal) => format!("{column} {} {}", operator(*comparison), self.literal(literal)),
            Test::In { values, negated } => {
                let values: Vec<String> = values.iter().map(|value| self.literal(value)).collect();
                format!("{column} {}IN ({})", if *negated { "NOT " } else { "" }, values.join(", "))
            }
            Test::Like { pattern, any_case, negated } => {
                let (operator, pattern) = if *any_case { ("LIKE", pattern.clone()) } else { ("GLOB", glob(pattern)) };
                format!("{column} {}{operator} {}", if *negated { "NOT " } else { "" }, self.bind(pattern))
            }
            Test::Null | Test::Nan => format!("{column} IS NULL"),
        }
    }

    fn literal(&mut self, literal: &Literal) -> String {
        match literal {
            Literal::Text(text) => self.bind(text.clone()),
            Literal::Number(number) => self.bind(*number),
            Literal::Whole(number) => self.bind(*number),
        }
    }
}

/// The pattern of `GLOB`, which minds the case as `LIKE` does not, that means what `pattern` means to `LIKE`.
fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        match character {
            '%' => glob.push('*'),
            '_' => glob.push('?'),
            '*' | '?' | '[' => glob.extend(['[', character, ']']),
            other => glob.push(other),
        }
    }
    glob
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}

fn text_column(field: TextField) -> &'static str {
    match field {
        TextField::Id => "r.id",
        TextField::Name => "r.name",
        TextField::Experiment => "e.name",
        TextField::Status => STATUS,
        TextField::Model => "r.model",
        TextField::Note => "r.note",
        TextField::Git => "r.git",
        TextField::DatasetDigest => "r.dataset_digest",
        TextField::PromptDigest => "r.prompt_digest",
    }
}

fn number_column(field: NumberField) -> &'static str {
    match field {
        NumberField::Seed => "r.seed",
        NumberField::Created => "r.created",
        NumberField::Started => "r.started",
        NumberField::Ended => "r.ended",
    }
}
