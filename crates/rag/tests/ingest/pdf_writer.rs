//! Small PDF files, written by hand.

use std::fmt::Write;

/// A file with one content stream a page, on pages of 600 by 800 points with Helvetica as `/F1` and its bold as `/F2`.
#[derive(Default)]
pub(crate) struct PdfWriter {
    pages: Vec<(String, u32)>,
    title: Option<String>,
}

impl PdfWriter {
    /// Adds a page; `content` is a content stream.
    pub(crate) fn page(self, content: &str) -> Self {
        self.turned_page(content, 0)
    }

    /// Adds a page that is shown turned clockwise.
    pub(crate) fn turned_page(mut self, content: &str, degrees: u32) -> Self {
        self.pages.push((content.to_owned(), degrees));
        self
    }

    /// Sets the title in the document information.
    pub(crate) fn title(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    /// The file.
    pub(crate) fn finish(self) -> Vec<u8> {
        let kids = (0..self.pages.len()).map(|page| format!("{} 0 R", 5 + 2 * page)).collect::<Vec<_>>().join(" ");
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R /Lang (en-GB) >>".to_owned(),
            format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", self.pages.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        for (index, (content, degrees)) in self.pages.iter().enumerate() {
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Rotate {degrees} /Contents {} 0 R \
                 /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
                6 + 2 * index
            ));
            objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
        }
        objects.push(format!("<< /Title ({}) >>", self.title.unwrap_or_default()));
        written(&objects)
    }
}

fn written(objects: &[String]) -> Vec<u8> {
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = String::new();
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).unwrap();
        write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1).unwrap();
    }
    let (start, count) = (file.len(), objects.len() + 1);
    write!(file, "xref\n0 {count}\n0000000000 65535 f \n{table}").unwrap();
    write!(file, "trailer\n<< /Size {count} /Root 1 0 R /Info {} 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len()).unwrap();
    file.into_bytes()
}

/// A line of text at a place, in 10-point Helvetica.
pub(crate) fn line(x: f32, y: f32, text: &str) -> String {
    styled(x, y, "F1", 10.0, text)
}

/// A line of text at a place in a font and size.
pub(crate) fn styled(x: f32, y: f32, font: &str, size: f32, text: &str) -> String {
    format!("BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n")
}

/// Lines of text below one another, 12 points apart.
pub(crate) fn lines(x: f32, y: f32, texts: &[&str]) -> String {
    texts.iter().enumerate().map(|(index, text)| line(x, y - 12.0 * index as f32, text)).collect()
}
