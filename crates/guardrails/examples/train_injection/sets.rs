use std::{error::Error, fs, io::Read as _, path::Path};

use serde::Deserialize;

/// Texts as they are given, each set by its name.
pub(crate) struct Sets {
    /// Rows of `guard/injection.jsonl`.
    pub(crate) injection: Vec<Labelled>,
    /// Utterances of CLINC150.
    pub(crate) clinc: Vec<String>,
    /// Questions of GSM8K.
    pub(crate) gsm8k: Vec<String>,
    /// Documentation pages.
    pub(crate) pages: Vec<String>,
    /// Chapters of the Rust Book.
    pub(crate) book: Vec<String>,
    /// Paragraphs of an encyclopedia.
    pub(crate) paragraphs: Vec<String>,
}

/// A text, the set that it is from, and 1 where it is an attack.
#[derive(Deserialize)]
pub(crate) struct Labelled {
    pub(crate) set: String,
    pub(crate) text: String,
    pub(crate) label: u8,
}

#[derive(Deserialize)]
struct Question {
    question: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Clinc {
    train: Vec<(String, String)>,
    oos_train: Vec<(String, String)>,
}

impl Sets {
    pub(crate) fn read(data: &Path) -> Result<Self, Box<dyn Error>> {
        let clinc: Clinc = serde_json::from_str(&fs::read_to_string(data.join("router/clinc150.json"))?)?;
        let mut pages = String::new();
        flate2::read::GzDecoder::new(fs::File::open(data.join("text/tech_docs.jsonl.gz"))?).read_to_string(&mut pages)?;
        Ok(Self {
            injection: lines(&fs::read_to_string(data.join("guard/injection.jsonl"))?)?,
            clinc: clinc.train.into_iter().chain(clinc.oos_train).map(|(text, _)| text).collect(),
            gsm8k: lines::<Question>(&fs::read_to_string(data.join("eval/gsm8k/train.jsonl"))?)?
                .into_iter()
                .map(|row| row.question)
                .collect(),
            pages: lines::<Text>(&pages)?.into_iter().map(|row| row.text).collect(),
            book: chapters(&data.join("rag/rust_book"))?,
            paragraphs: lines::<Text>(&fs::read_to_string(data.join("rag/beerqa/corpus.jsonl"))?)?
                .into_iter()
                .map(|row| row.text)
                .collect(),
        })
    }
}

fn lines<T: for<'a> Deserialize<'a>>(text: &str) -> Result<Vec<T>, serde_json::Error> {
    text.lines().map(serde_json::from_str).collect()
}

fn chapters(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    Ok(paths.iter().map(fs::read_to_string).collect::<Result<_, _>>()?)
}
