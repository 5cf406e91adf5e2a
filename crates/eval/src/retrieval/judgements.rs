use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, Write},
    num::NonZeroU8,
};

use crate::{Error, Result, line};

/// The relevance judgements of all queries: a qrels file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qrels {
    queries: BTreeMap<String, Judgements>,
}

impl Qrels {
    /// No judgements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the qrels format: a line holds query, iteration (ignored), document and relevance, separated by white space. Blank lines
    /// are skipped.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Duplicate`] name the line.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text.as_bytes())
    }

    /// Reads the format of [`parse`](Self::parse) from a file or a stream.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); also where reading fails or a line is not UTF-8.
    pub fn read(reader: impl BufRead) -> Result<Self> {
        let mut qrels = Self::new();
        let mut seen = line::FirstLines::default();
        line::for_each(reader, |number, text| {
            let (query, document, level) = parse_line(number, text)?;
            seen.note(number, query, document)?;
            qrels.judge(query, document, level);
            Ok(())
        })?;
        Ok(qrels)
    }

    /// Judges one document, or judges it anew.
    pub fn judge(&mut self, query: &str, document: &str, level: i8) {
        self.queries.entry(query.to_owned()).or_default().judge(document, level);
    }

    /// Holds the judgements of `query`, in place of those held before.
    pub fn insert(&mut self, query: &str, judgements: Judgements) {
        self.queries.insert(query.to_owned(), judgements);
    }

    /// Counts only documents of at least `level` as relevant, as `trec_eval -l` does. Gains of nDCG stay as judged.
    pub fn with_relevance_level(mut self, level: NonZeroU8) -> Self {
        for judgements in self.queries.values_mut() {
            judgements.relevance_level = level;
        }
        self
    }

    /// The judgements of one query.
    pub fn get(&self, query: &str) -> Option<&Judgements> {
        self.queries.get(query)
    }

    /// All queries in order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Judgements)> {
        self.queries.iter().map(|(query, judgements)| (query.as_str(), judgements))
    }

    /// Writes the qrels file, documents in order of their ids; reading it again gives equal judgements.
    ///
    /// # Errors
    /// [`Error::UnwritableId`]; where writing fails.
    pub fn write(&self, mut writer: impl Write) -> Result<()> {
        for (query, judgements) in self.iter() {
            let documents: BTreeMap<&String, &i8> = judgements.levels.iter().collect();
            for (document, level) in documents {
                line::check_id(query)?;
                line::check_id(document)?;
                writeln!(writer, "{query} 0 {document} {level}")?;
            }
        }
        Ok(writer.flush()?)
    }

    /// Number of judged queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether no query is judged.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }
}

/// The judged documents of one query.
///
/// A level of zero is judged and not relevant; a negative level is `trec_eval`'s mark of a document that was pooled and left unjudged,
/// and counts as unjudged here too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgements {
    levels: HashMap<String, i8>,
    relevance_level: NonZeroU8,
}

impl Judgements {
    /// Judgements in which `documents` are relevant at level 1 and everything else is unjudged.
    pub fn relevant<D: Into<String>>(documents: impl IntoIterator<Item = D>) -> Self {
        documents.into_iter().map(|document| (document.into(), 1)).collect()
    }

    /// Judges one document, or judges it anew.
    pub fn judge(&mut self, document: &str, level: i8) {
        self.levels.insert(document.to_owned(), level);
    }

    /// The level of a judged document.
    pub fn level(&self, document: &str) -> Option<i8> {
        self.levels.get(document).copied().filter(|level| *level >= 0)
    }

    /// Whether documents of `level` count as relevant.
    pub fn is_relevant(&self, level: i8) -> bool {
        i16::from(level) >= i16::from(self.relevance_level.get())
    }

    /// How many documents are relevant.
    pub fn relevant_count(&self) -> usize {
        self.levels.values().filter(|level| self.is_relevant(**level)).count()
    }

    /// How many documents are judged and not relevant.
    pub fn nonrelevant_count(&self) -> usize {
        self.levels.values().filter(|level| **level >= 0 && !self.is_relevant(**level)).count()
    }

    /// The levels of all judged documents, highest first.
    pub(crate) fn levels_descending(&self) -> Vec<i8> {
        let mut levels: Vec<i8> = self.levels.values().copied().filter(|level| *level >= 0).collect();
        levels.sort_unstable_by(|a, b| b.cmp(a));
        levels
    }
}

impl Default for Judgements {
    fn default() -> Self {
        Self { levels: HashMap::new(), relevance_level: NonZeroU8::MIN }
    }
}

impl<D: Into<String>> FromIterator<(D, i8)> for Judgements {
    fn from_iter<I: IntoIterator<Item = (D, i8)>>(levels: I) -> Self {
        let levels = levels.into_iter().map(|(document, level)| (document.into(), level)).collect();
        Self { levels, ..Self::default() }
    }
}

fn parse_line(number: usize, text: &str) -> Result<(&str, &str, i8)> {
    let mut fields = text.split_ascii_whitespace();
    let (Some(query), Some(_), Some(document), Some(level), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(line::malformed(number, "a qrels line has four fields: query, iteration, document, relevance"));
    };
    let level = level.parse().map_err(|_| {
        let problem = format!("relevance must be a whole number from {} to {}, not `{level}`", i8::MIN, i8::MAX);
        Error::Malformed { line: number, problem }
    })?;
    Ok((query, document, level))
}
