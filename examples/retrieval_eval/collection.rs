//! Paragraphs and questions as they lie in JSON Lines files.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use jarre_eval::retrieval::{Judgements, Qrels};
use jarre_rag::{Block, BlockKind, DocId, Document, Format, Span};
use serde::{Deserialize, de::DeserializeOwned};

/// A set of paragraphs and the questions that some of them answer.
pub(crate) struct Collection {
    pub(crate) paragraphs: Vec<Paragraph>,
    pub(crate) questions: Vec<Question>,
}

#[derive(Deserialize)]
pub(crate) struct Paragraph {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the fields have the names that they have in the files")]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) answers: Vec<String>,
    /// Ids of the paragraphs that together answer it.
    pub(crate) relevant: Vec<String>,
    /// The set that it comes from, where the file says.
    #[serde(default)]
    pub(crate) source: Option<String>,
}

/// Several paragraphs of one title, put together as one document.
pub(crate) struct Article {
    pub(crate) document: Document,
    /// Where each paragraph stands in the document's text.
    pub(crate) paragraphs: BTreeMap<String, Span>,
}

impl Collection {
    /// Reads both files; `limit` keeps the first questions only.
    pub(crate) fn load(corpus: &Path, queries: &Path, limit: Option<usize>) -> Result<Self> {
        let paragraphs: Vec<Paragraph> = read_lines(corpus)?;
        let mut questions: Vec<Question> = read_lines(queries)?;
        let known = distinct(paragraphs.iter().map(|paragraph| paragraph.id.as_str())).with_context(|| corpus.display().to_string())?;
        distinct(questions.iter().map(|question| question.id.as_str())).with_context(|| queries.display().to_string())?;
        for question in &questions {
            if let Some(missing) = question.relevant.iter().find(|id| !known.contains(id.as_str())) {
                bail!("{}: question `{}` refers to paragraph `{missing}`, which the corpus has not", queries.display(), question.id);
            }
        }
        questions.truncate(limit.unwrap_or(usize::MAX));
        ensure!(!questions.is_empty(), "{} holds no question", queries.display());
        Ok(Self { paragraphs, questions })
    }

    /// Which paragraphs answer each question.
    pub(crate) fn qrels(&self) -> Qrels {
        let mut qrels = Qrels::new();
        for question in &self.questions {
            qrels.insert(&question.id, Judgements::relevant(question.relevant.iter().cloned()));
        }
        qrels
    }

    /// A document for each paragraph.
    pub(crate) fn documents(&self) -> Vec<Document> {
        let document = |paragraph: &Paragraph| document(&paragraph.id, &paragraph.title, paragraph.text.clone());
        self.paragraphs.iter().map(document).collect()
    }

    /// A document for each title: its paragraphs in the order of the file, a blank line between them.
    pub(crate) fn articles(&self) -> Vec<Article> {
        let mut groups: BTreeMap<&str, Vec<&Paragraph>> = BTreeMap::new();
        for paragraph in &self.paragraphs {
            groups.entry(&paragraph.title).or_default().push(paragraph);
        }
        groups.into_iter().map(|(title, group)| article(title, &group)).collect()
    }
}

fn article(title: &str, group: &[&Paragraph]) -> Article {
    let (mut text, mut paragraphs) = (String::new(), BTreeMap::new());
    for paragraph in group {
        let start = text.len();
        text.push_str(paragraph.text.trim());
        paragraphs.insert(paragraph.id.clone(), Span::new(start, text.len()));
        text.push_str("\n\n");
    }
    Article { document: document(title, title, text), paragraphs }
}

/// Where there is no text the title is the text: such a document is found by its title, as any other is.
fn document(id: &str, title: &str, text: String) -> Document {
    let (title, text) = if text.trim().is_empty() { (None, title.to_owned()) } else { (Some(title.to_owned()), text) };
    Document {
        id: DocId(id.to_owned()),
        source: id.to_owned(),
        content_hash: blake3::hash(format!("{title:?}\n{text}").as_bytes()).to_hex().to_string(),
        title,
        language: Some("en".to_owned()),
        format: Format::Text,
        blocks: lines(&text),
        text,
        metadata: BTreeMap::new(),
    }
}

/// A paragraph block for each line that holds something.
fn lines(text: &str) -> Vec<Block> {
    let mut end = 0;
    let spans = text.split_inclusive('\n').map(|line| {
        let start = end + line.len() - line.trim_start().len();
        end += line.len();
        start..start + line.trim().len()
    });
    let written = spans.filter(|span| !span.is_empty());
    written.map(|span| Block { kind: BlockKind::Paragraph, span: span.into(), page: None }).collect()
}

/// The objects of a JSON Lines file.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut items = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let place = || format!("{}, line {number}", path.display());
        let line = line.with_context(place)?;
        if !line.trim().is_empty() {
            items.push(serde_json::from_str(&line).with_context(place)?);
        }
    }
    Ok(items)
}

fn distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Result<HashSet<&'a str>> {
    let mut seen = HashSet::new();
    for id in ids {
        ensure!(seen.insert(id), "the id `{id}` stands twice");
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection() -> Collection {
        let paragraph = |id: &str, title: &str, text: &str| Paragraph { id: id.into(), title: title.into(), text: text.into() };
        let paragraphs = vec![
            paragraph("1", "Quay", " The quay is old. "),
            paragraph("2", "Tide", ""),
            paragraph("3", "Quay", "It was built\nin 1901."),
        ];
        Collection { paragraphs, questions: Vec::new() }
    }

    #[test]
    fn a_paragraph_without_text_is_found_by_its_title() {
        let documents = collection().documents();
        assert_eq!((documents[1].title.as_deref(), documents[1].text.as_str()), (None, "Tide"));
        assert_eq!(documents[0].title.as_deref(), Some("Quay"));
    }

    #[test]
    fn articles_keep_where_their_paragraphs_stand() {
        let articles = collection().articles();
        let quay = articles.iter().find(|article| article.document.id.0 == "Quay").unwrap();
        let text = |id: &str| quay.paragraphs[id].of(&quay.document.text).unwrap();
        assert_eq!((text("1"), text("3")), ("The quay is old.", "It was built\nin 1901."));
        let blocks: Vec<_> = quay.document.blocks.iter().map(|block| block.span.of(&quay.document.text).unwrap()).collect();
        assert_eq!(blocks, ["The quay is old.", "It was built", "in 1901."]);
    }
}
