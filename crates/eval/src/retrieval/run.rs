use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, Write},
};

use crate::{Error, Result, line};

/// What a system retrieved for each query, best first: a TREC run.
///
/// Documents of a query are ordered as `trec_eval` orders them, whatever ranks a file states: by falling score, and where scores are
/// equal by falling document id (byte order). Scores are `f32`, as in `trec_eval`, so that the same scores are equal here and there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    tag: String,
    queries: BTreeMap<String, Vec<Retrieved>>,
}

/// A document that a run holds for a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrieved {
    /// The document's id.
    pub document: String,
    /// Higher is better.
    pub score: f32,
}

impl Run {
    /// An empty run; `tag` names the system in the last column of the file.
    ///
    /// # Errors
    /// [`Error::UnwritableId`] where the tag is empty or holds white space.
    pub fn new(tag: &str) -> Result<Self> {
        line::check_id(tag)?;
        Ok(Self { tag: tag.to_owned(), queries: BTreeMap::new() })
    }

    /// Reads the run format: a line holds query, `Q0` (ignored), document, rank (ignored), score and tag, separated by white space;
    /// what follows the tag is ignored, as are blank lines.
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
        let mut run = Self::default();
        let mut seen = line::FirstLines::default();
        line::for_each(reader, |number, text| {
            let (query, retrieved, tag) = parse_line(number, text)?;
            seen.note(number, query, &retrieved.document)?;
            if run.tag.is_empty() {
                tag.clone_into(&mut run.tag);
            }
            run.queries.entry(query.to_owned()).or_default().push(retrieved);
            Ok(())
        })?;
        run.queries.values_mut().for_each(|retrieved| sort(retrieved));
        Ok(run)
    }

    /// Holds what was retrieved for `query`, in any order, in place of what was held before; equal scores are ordered as the type says.
    ///
    /// # Errors
    /// Where an id cannot be written, a score is not finite, or a document stands twice (the line is its place in the list).
    pub fn insert<D: Into<String>>(&mut self, query: &str, retrieved: impl IntoIterator<Item = (D, f32)>) -> Result<()> {
        let mut retrieved = check_all(query, retrieved)?;
        sort(&mut retrieved);
        self.queries.insert(query.to_owned(), retrieved);
        Ok(())
    }

    /// As [`insert`](Self::insert), but keeps the order given: a score that does not fall is lowered to the next `f32` below the one
    /// before it. So a system that breaks ties by a rule of its own is judged in its own order, here and by `trec_eval`.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn insert_in_order<D: Into<String>>(&mut self, query: &str, retrieved: impl IntoIterator<Item = (D, f32)>) -> Result<()> {
        let mut retrieved = check_all(query, retrieved)?;
        let mut ceiling = f32::INFINITY;
        for item in &mut retrieved {
            item.score = item.score.min(ceiling.next_down());
            ceiling = item.score;
        }
        check_all(query, retrieved.iter().map(|item| (item.document.as_str(), item.score)))?;
        self.queries.insert(query.to_owned(), retrieved);
        Ok(())
    }

    /// The system's name.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// What was retrieved for `query`, best first; empty for a query that the run does not hold.
    pub fn get(&self, query: &str) -> &[Retrieved] {
        self.queries.get(query).map_or(&[], Vec::as_slice)
    }

    /// Whether the run holds `query`.
    pub fn contains(&self, query: &str) -> bool {
        self.queries.contains_key(query)
    }

    /// All queries in order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[Retrieved])> {
        self.queries.iter().map(|(query, retrieved)| (query.as_str(), retrieved.as_slice()))
    }

    /// Number of queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether the run holds no query.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Keeps the best `depth` documents of each query, as `trec_eval -M` does.
    pub fn truncate(&mut self, depth: usize) {
        self.queries.values_mut().for_each(|retrieved| retrieved.truncate(depth));
    }

    /// Writes the run file; reading it again gives an equal run.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn write(&self, mut writer: impl Write) -> Result<()> {
        for (query, retrieved) in self.iter() {
            for (rank, Retrieved { document, score }) in (1..).zip(retrieved) {
                writeln!(writer, "{query} Q0 {document} {rank} {score} {}", self.tag)?;
            }
        }
        Ok(writer.flush()?)
    }
}

fn parse_line(number: usize, text: &str) -> Result<(&str, Retrieved, &str)> {
    let mut fields = text.split_ascii_whitespace();
    let (Some(query), Some(_), Some(document), Some(_), Some(score), Some(tag)) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(line::malformed(number, "a run line has six fields: query, Q0, document, rank, score, tag"));
    };
    let finite = score.parse().ok().filter(|value: &f32| value.is_finite());
    let score = finite.ok_or_else(|| line::malformed(number, &format!("the score must be a finite number, not `{score}`")))?;
    Ok((query, Retrieved { document: document.to_owned(), score }, tag))
}

fn sort(retrieved: &mut [Retrieved]) {
    // Adding zero turns -0.0 into 0.0, which `total_cmp` alone would rank below it.
    let score = |item: &Retrieved| item.score + 0.0;
    retrieved.sort_by(|a, b| score(b).total_cmp(&score(a)).then_with(|| b.document.cmp(&a.document)));
}

fn check_all<D: Into<String>>(query: &str, retrieved: impl IntoIterator<Item = (D, f32)>) -> Result<Vec<Retrieved>> {
    line::check_id(query)?;
    let retrieved: Vec<_> = retrieved.into_iter().map(|(document, score)| Retrieved { document: document.into(), score }).collect();
    let mut seen = BTreeSet::new();
    for (line, Retrieved { document, score }) in (1..).zip(&retrieved) {
        line::check_id(document)?;
        if !score.is_finite() {
            return Err(Error::NonFiniteScore { document: document.clone(), score: *score });
        }
        if !seen.insert(document) {
            let first = retrieved.iter().position(|other| other.document == *document).map_or(line, |place| place + 1);
            return Err(Error::Duplicate { line, first, query: query.to_owned(), document: document.clone() });
        }
    }
    Ok(retrieved)
}
