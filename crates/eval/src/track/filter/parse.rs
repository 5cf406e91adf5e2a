use super::{
    Comparison, Condition, Field, Literal, Test,
    token::{Token, tokens, wrong},
};
use crate::Result;

/// The longest filter, in bytes.
const LONGEST: usize = 16 << 10;
/// The most comparisons: what they become is a tree, whose depth `SQLite` limits.
const MOST: usize = 200;
/// The most parentheses and negations around one another.
const DEEPEST: usize = 32;

/// The condition that `text` states; none where there is only white space.
pub(super) fn parse(text: &str) -> Result<Option<Condition>> {
    if text.len() > LONGEST {
        return Err(wrong(text, 0, format!("it is longer than {LONGEST} bytes")));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, tests: 0 };
    if parser.tokens.is_empty() {
        return Ok(None);
    }
    let condition = parser.any(0)?;
    match parser.peek() {
        None => Ok(Some(condition)),
        Some(_) => Err(parser.wrong("`and`, `or` or the end belongs here")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(usize, Token)>,
    next: usize,
    tests: usize,
}

impl Parser<'_> {
    fn any(&mut self, depth: usize) -> Result<Condition> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition> {
        let mut parts = vec![self.one(depth)?];
        while self.take_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition> {
        if depth > DEEPEST {
            return Err(self.wrong(format!("more than {DEEPEST} parentheses and negations stand around this")));
        }
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if !self.take_sign("(") {
            return self.test();
        }
        let inner = self.any(depth + 1)?;
        if self.take_sign(")") { Ok(inner) } else { Err(self.wrong("`)`, `and` or `or` belongs here")) }
    }

    fn test(&mut self) -> Result<Condition> {
        self.tests += 1;
        if self.tests > MOST {
            return Err(self.wrong(format!("there are more than {MOST} comparisons")));
        }
        let field = self.field()?;
        if self.take_word("is") {
            return self.presence(field);
        }
        let negated = self.take_word("not");
        if self.take_word("in") {
            let values = self.list(&field)?;
            return Ok(Condition::Holds(field, Test::In { values, negated }));
        }
        for (word, any_case) in [("like", false), ("ilike", true)] {
            if self.take_word(word) {
                let pattern = self.pattern(&field)?;
                return Ok(Condition::Holds(field, Test::Like { pattern, any_case, negated }));
            }
        }
        if negated {
            return Err(self.wrong("`in`, `like` or `ilike` belongs here"));
        }
        let comparison = self.comparison()?;
        let literal = self.literal(&field)?;
        Ok(Condition::Holds(field, Test::Compare(comparison, literal)))
    }

    fn field(&mut self) -> Result<Field> {
        let Some(Token::Word(word, quoted)) = self.peek().cloned() else {
            return Err(self.wrong("a field belongs here, such as metrics.accuracy, params.lr, tags.team or status"));
        };
        let (kind, plain) = word.split_once('.').map_or((word.as_str(), None), |(kind, name)| (kind, Some(name)));
        let name = match (quoted, plain) {
            (Some(quoted), Some("")) => Some(quoted),
            (Some(_), _) => return Err(self.wrong("the whole of a name stands in quotes, or none of it")),
            (None, plain) => plain.map(str::to_owned),
        };
        if name.as_deref() == Some("") {
            return Err(self.wrong("a name belongs behind the dot"));
        }
        let field = match (kind, name) {
            ("metrics" | "metric", Some(name)) => Some(Field::Metric(name)),
            ("params" | "param", Some(name)) => Some(Field::Param(name)),
            ("tags" | "tag", Some(name)) => Some(Field::Tag(name)),
            (name, None) => Field::attribute(name),
            _ => None,
        };
        let known = "metrics.x, params.x, tags.x, id, name, experiment, status, model, note, git, dataset_digest, prompt_digest, seed, \
                     created, started, ended";
        let field = field.ok_or_else(|| self.wrong(format!("`{word}` is no field; there are {known}")))?;
        self.next += 1;
        Ok(field)
    }

    fn presence(&mut self, field: Field) -> Result<Condition> {
        let negated = self.take_word("not");
        let test = if self.take_word("null") {
            Test::Null
        } else if matches!(field, Field::Metric(_)) && self.take_word("nan") {
            Test::Nan
        } else {
            return Err(self.wrong("`null` belongs here, or `nan` for a metric"));
        };
        let holds = Condition::Holds(field, test);
        Ok(if negated { Condition::Not(Box::new(holds)) } else { holds })
    }

    fn list(&mut self, field: &Field) -> Result<Vec<Literal>> {
        if !self.take_sign("(") {
            return Err(self.wrong("a list belongs here: ('a', 'b')"));
        }
        let mut values = vec![self.literal(field)?];
        while self.take_sign(",") {
            values.push(self.literal(field)?);
        }
        if self.take_sign(")") { Ok(values) } else { Err(self.wrong("`,` or `)` belongs here")) }
    }

    fn pattern(&mut self, field: &Field) -> Result<String> {
        if matches!(field, Field::Metric(_) | Field::Number(_)) {
            return Err(self.wrong("only texts are like a pattern"));
        }
        let Some(Token::Text(pattern)) = self.peek().cloned() else {
            return Err(self.wrong("a pattern in single quotes belongs here"));
        };
        self.next += 1;
        Ok(pattern)
    }

    fn comparison(&mut self) -> Result<Comparison> {
        let comparison = match self.peek() {
            Some(Token::Sign("=" | "==")) => Comparison::Equal,
            Some(Token::Sign("!=" | "<>")) => Comparison::NotEqual,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::AtMost,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::AtLeast,
            _ => return Err(self.wrong("a comparison belongs here: = != < <= > >= like in is")),
        };
        self.next += 1;
        Ok(comparison)
    }

    fn literal(&mut self, field: &Field) -> Result<Literal> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => match number.parse() {
                Ok(whole) if matches!(field, Field::Number(_)) => Literal::Whole(whole),
                _ => Literal::Number(self.number(number)?),
            },
            Some(Token::Word(word, None)) if word == "inf" => Literal::Number(f64::INFINITY),
            _ => return Err(self.wrong("a number or a text in single quotes belongs here")),
        };
        if let Some(problem) = field.objection(&literal) {
            return Err(self.wrong(problem));
        }
        self.next += 1;
        Ok(literal)
    }

    /// Rust reads more as a number than JSON has, of which only the signed infinities are wanted.
    fn number(&self, number: &str) -> Result<f64> {
        match number.parse::<f64>() {
            Ok(value) if value.is_finite() || matches!(number, "-inf" | "+inf") => Ok(value),
            _ => Err(self.wrong(format!("`{number}` is no number"))),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found, None)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn wrong(&self, problem: impl Into<String>) -> crate::Error {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at);
        wrong(self.text, at, problem)
    }
}
