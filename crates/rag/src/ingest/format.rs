use std::path::Path;

use crate::Format;

/// Bytes of a file that [`Format::sniff`] looks at: a PDF may have this much before its header.
const HEAD: usize = 1024;

impl Format {
    /// The format that a path's extension names; `None` where it names none that is read.
    ///
    /// ```
    /// # use {jarre_rag::Format, std::path::Path};
    /// assert_eq!(Format::from_path(Path::new("notes/README.MD")), Some(Format::Markdown));
    /// assert_eq!(Format::from_path(Path::new("photo.jpg")), None);
    /// ```
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "md" | "markdown" | "mdown" | "mkd" | "mkdn" => Some(Self::Markdown),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }

    /// The format that the content shows, where it shows one beyond doubt: a PDF header, or an HTML document's first tag.
    ///
    /// ```
    /// # use jarre_rag::Format;
    /// assert_eq!(Format::sniff(b"%PDF-1.7\n"), Some(Format::Pdf));
    /// assert_eq!(Format::sniff(b"\n<!DOCTYPE html><p>"), Some(Format::Html));
    /// assert_eq!(Format::sniff(b"# A heading"), None);
    /// ```
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        let head = &bytes[..bytes.len().min(HEAD)];
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if head.starts_with(b"%PDF-") {
            return Some(Self::Pdf);
        }
        [b"<!doctype html".as_slice(), b"<html"].iter().any(|tag| starts_with_tag(head, tag)).then_some(Self::Html)
    }
}

/// Whether `head` opens with `tag` in any case, and the tag's name ends there.
fn starts_with_tag(head: &[u8], tag: &[u8]) -> bool {
    let opens = head.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    opens && head.get(tag.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_case_do_not_hide_the_format() {
        assert_eq!(Format::sniff(b"\xef\xbb\xbf<HTML lang=en>"), Some(Format::Html));
        assert_eq!(Format::sniff(b"<!DocType HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">"), Some(Format::Html));
        assert_eq!(Format::sniff(b"\r\n%PDF-1.4"), Some(Format::Pdf));
    }

    #[test]
    fn text_about_a_format_is_not_of_that_format() {
        assert_eq!(Format::sniff(b"A file starts with %PDF-1.4"), None);
        assert_eq!(Format::sniff(b"<htmlx>"), None);
        assert_eq!(Format::sniff(b"<p>a fragment</p>"), None);
        assert_eq!(Format::sniff(b""), None);
    }
}
