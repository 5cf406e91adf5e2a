//! Reading PDF files: `pdf_oxide` decodes fonts and content into words with places; the layout here makes them lines, columns, tables,
//! paragraphs and headings.

mod columns;
mod depth;
mod flow;
mod outline;
mod rules;
mod script;
mod table;
mod words;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use pdf_oxide::{PdfDocument, object::Object};

use self::{flow::Piece, rules::Rules};
use super::{Parsed, Reason, blocks::collapsed};

/// Longest message of the parser that a reason repeats, in characters.
const DETAIL: usize = 200;

/// What one page holds, in reading order.
#[derive(Debug)]
struct Page {
    /// From 1.
    number: u32,
    pieces: Vec<Piece>,
}

/// Reads a PDF page by page. A page that cannot be read is passed over as long as another one has text.
pub(super) fn read(bytes: Vec<u8>, max_pages: usize) -> Result<Parsed, Reason> {
    if depth::is_too_deep(&bytes) {
        return Err(Reason::Malformed { detail: "objects nested too deep".to_owned() });
    }
    let file = PdfDocument::from_bytes(bytes).map_err(|error| reason(&error))?;
    if file.is_encrypted() && !file.is_authenticated() && !file.authenticate(b"").unwrap_or(false) {
        return Err(Reason::Encrypted);
    }
    let count = file.page_count().map_err(|error| reason(&error))?;
    if count > max_pages {
        return Err(Reason::TooManyPages { pages: count, limit: max_pages });
    }
    let pages = pages(&file, count)?;
    let (text, blocks) = outline::write(pages);
    let title = info_title(&file).or_else(|| outline::first_title(&blocks));
    Ok(Parsed { title, language: language(&file), text, blocks })
}

fn pages(file: &PdfDocument, count: usize) -> Result<Vec<Page>, Reason> {
    let mut pages = Vec::new();
    let mut failed = None;
    for index in 0..count {
        match page(file, index) {
            Ok(pieces) => pages.push(Page { number: index as u32 + 1, pieces }),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        _ if pages.iter().any(|page| !page.pieces.is_empty()) => Ok(pages),
        Some(error) => Err(reason(&error)),
        None if count == 0 => Err(Reason::Malformed { detail: "no pages".to_owned() }),
        None => Err(Reason::NoText { pages: count }),
    }
}

fn page(file: &PdfDocument, index: usize) -> pdf_oxide::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for (place, upright) in words::of_page(file, index)?.into_iter().enumerate() {
        let rules = if place == 0 { Rules::of_page(file, index, upright.turn) } else { Rules::default() };
        for region in columns::regions(upright.words, &rules) {
            flow::read(&region, &rules, &mut pieces);
        }
    }
    Ok(pieces)
}

fn reason(error: &pdf_oxide::Error) -> Reason {
    match error {
        pdf_oxide::Error::EncryptedPdf => Reason::Encrypted,
        error => Reason::Malformed { detail: error.to_string().chars().take(DETAIL).collect() },
    }
}

/// The title in the document information dictionary (ISO 32000-1, 14.3.3), where it is one: word processors put the file's name there.
fn info_title(file: &PdfDocument) -> Option<String> {
    let info = resolved(file, file.trailer().as_dict()?.get("Info")?)?;
    let title = resolved(file, info.as_dict()?.get("Title")?)?;
    let title = collapsed(&text_string(title.as_string()?));
    let is_stated = title.chars().filter(|c| c.is_alphanumeric()).count() > 1 && !title.eq_ignore_ascii_case("untitled");
    (is_stated && !is_file_name(&title)).then_some(title)
}

fn is_file_name(title: &str) -> bool {
    let is_extension = |end: &str| (2..=5).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric());
    let is_one_word = !title.contains(char::is_whitespace);
    title.starts_with("Microsoft Word - ") || (is_one_word && title.rsplit_once('.').is_some_and(|(_, end)| is_extension(end)))
}

fn language(file: &PdfDocument) -> Option<String> {
    let catalog = file.catalog().ok()?;
    let language = resolved(file, catalog.as_dict()?.get("Lang")?)?;
    let language = text_string(language.as_string()?).trim().to_owned();
    (!language.is_empty()).then_some(language)
}

fn resolved(file: &PdfDocument, object: &Object) -> Option<Object> {
    match object.as_reference() {
        Some(reference) => file.load_object(reference).ok(),
        None => Some(object.clone()),
    }
}

/// A text string (ISO 32000-1, 7.9.2.2): UTF-16 or UTF-8 by its byte order mark, else `PDFDocEncoding`, of which windows-1252 differs in
/// signs that titles do not use.
fn text_string(bytes: &[u8]) -> String {
    let (encoding, rest) = match bytes {
        [0xfe, 0xff, rest @ ..] => (UTF_16BE, rest),
        [0xff, 0xfe, rest @ ..] => (UTF_16LE, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => (UTF_8, rest),
        rest => (WINDOWS_1252, rest),
    };
    let text = encoding.decode_without_bom_handling(rest).0;
    text.chars().filter(|c| !c.is_control()).collect()
}
