//! What PDF files become.

use jarre_rag::{BlockKind, Document, Format, ingest::Reason};

use crate::{
    assert_sound,
    pdf_writer::{PdfWriter, line, lines, styled},
    read, texts,
};

fn pdf(writer: PdfWriter) -> Document {
    let document = read(Format::Pdf, &writer.finish()).unwrap();
    assert_sound(&document);
    document
}

fn one_page(content: &str) -> Document {
    pdf(PdfWriter::default().page(content))
}

const LEFT: [&str; 6] = [
    "The pump in the cellar is checked in",
    "spring, before the ground water rises",
    "and again in autumn, when leaves may",
    "have blocked the drain. Each check is",
    "noted in the book that hangs beside",
    "the door, with date and name.",
];
const RIGHT: [&str; 6] = [
    "The boiler upstairs needs a check of",
    "its own each winter. Only people with",
    "a licence may open it, and the seal is",
    "renewed whenever it has been opened,",
    "or else the insurance does not pay",
    "for what a leak has spoilt.",
];

#[test]
fn lines_become_paragraphs_and_broken_words_whole() {
    let page =
        lines(50.0, 700.0, &["The inspec-", "tion of well-", "Known parts goes on", "for a while."]) + &line(50.0, 620.0, "Another one.");
    assert_eq!(texts(&one_page(&page)), ["The inspection of well- Known parts goes on for a while.", "Another one."]);
}

#[test]
fn columns_are_read_one_after_the_other() {
    let page = line(50.0, 740.0, "A line that runs over both of the columns and so belongs to neither of them, the page being wide.")
        + &lines(310.0, 700.0, &RIGHT)
        + &lines(50.0, 700.0, &LEFT)
        + &line(50.0, 560.0, "A last line that runs over both of the columns again and so comes after them, as a footer does.");
    let text = one_page(&page).text;
    let place = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("{needle:?} is missing in {text:?}"));
    let places = ["neither", "The pump", "date and name.", "The boiler", "leak has spoilt.", "A last line"].map(place);
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("checked in spring, before"), "{text}");
}

#[test]
fn tables_are_rows_in_columns() {
    let rows = [["State", "Permit", "Handgun"], ["Alabama", "18,870", "23,022"], ["Guam", "0", "100"], ["Ohio", "9,338", ""]];
    let cell = |row: usize, column: usize| line(60.0 + 120.0 * column as f32, 700.0 - 14.0 * row as f32, rows[row][column]);
    // Written column by column: the order in the file says nothing.
    let page: String = (0..3).flat_map(|column| (0..4).map(move |row| cell(row, column))).collect();
    let document = one_page(&page);
    assert_eq!(document.blocks[0].kind, BlockKind::Table);
    assert_eq!(texts(&document), ["State | Permit | Handgun\nAlabama | 18,870 | 23,022\nGuam | 0 | 100\nOhio | 9,338 |"]);
}

#[test]
fn rules_hold_broken_cells_together() {
    let rule = |y: f32| format!("50 {y} m 500 {y} l S\n");
    let page = line(60.0, 700.0, "Item")
        + &line(260.0, 700.0, "Remark")
        + &lines(60.0, 680.0, &["Seal of the", "main pump"])
        + &line(260.0, 680.0, "worn")
        + &line(60.0, 648.0, "Drain")
        + &line(260.0, 648.0, "clean")
        + &[715.0, 694.0, 662.0, 640.0].map(rule).concat();
    assert_eq!(texts(&one_page(&page)), ["Item | Remark\nSeal of the main pump | worn\nDrain | clean"]);
}

#[test]
fn headings_are_told_by_size_and_weight() {
    let page = styled(50.0, 740.0, "F1", 20.0, "Maintenance")
        + &styled(50.0, 710.0, "F1", 14.0, "Pumps")
        + &lines(50.0, 690.0, &LEFT)
        + &styled(50.0, 600.0, "F2", 10.0, "Boilers")
        + &lines(50.0, 580.0, &RIGHT);
    let document = one_page(&page);
    let headings = document.blocks.iter().filter_map(|block| match &block.kind {
        BlockKind::Heading { level, text } => Some((*level, text.as_str())),
        _ => None,
    });
    let headings: Vec<(u8, &str)> = headings.collect();
    assert_eq!(headings, [(1, "Maintenance"), (2, "Pumps"), (3, "Boilers")]);
    assert_eq!(document.title.as_deref(), Some("Maintenance"));
}

#[test]
fn list_items_are_told_by_their_marks() {
    let page = line(50.0, 700.0, "\\225 first") + &line(50.0, 688.0, "\\225 second") + &line(50.0, 676.0, "1. third");
    let document = one_page(&page);
    assert_eq!(texts(&document), ["\u{2022} first", "\u{2022} second", "1. third"]);
    assert!(document.blocks.iter().all(|block| block.kind == BlockKind::ListItem));
    assert_eq!(document.text, "\u{2022} first\n\u{2022} second\n1. third\n");
}

#[test]
fn turned_pages_read_as_they_are_shown() {
    let upright = texts(&one_page(&lines(50.0, 700.0, &LEFT))).concat();
    // Text that runs up the sheet, on a sheet that is shown turned clockwise; and the same on one that is not.
    let climbing = |index: usize| format!("BT /F1 10 Tf 0 1 -1 0 {} 100 Tm ({}) Tj ET\n", 100 + 12 * index, LEFT[index]);
    let page: String = (0..LEFT.len()).map(climbing).collect();
    for degrees in [0, 90] {
        assert_eq!(texts(&pdf(PdfWriter::default().turned_page(&page, degrees))).concat(), upright, "{degrees}");
    }
    let falling = |index: usize| format!("BT /F1 10 Tf 0 -1 1 0 {} 700 Tm ({}) Tj ET\n", 400 - 12 * index as i32, LEFT[index]);
    let page: String = (0..LEFT.len()).map(falling).collect();
    assert_eq!(texts(&pdf(PdfWriter::default().turned_page(&page, 270))).concat(), upright);
}

#[test]
fn text_across_the_page_comes_last() {
    let stamp = "BT /F1 10 Tf 0 1 -1 0 20 300 Tm (Draft of May) Tj ET\n";
    let document = one_page(&(stamp.to_owned() + &lines(50.0, 700.0, &LEFT)));
    assert_eq!(texts(&document).last(), Some(&"Draft of May"));
    assert_eq!(document.blocks.len(), 2);
}

#[test]
fn text_printed_twice_counts_once() {
    let page = line(50.0, 700.0, "Total amount") + &line(50.4, 700.0, "Total amount") + &line(50.0, 699.7, "Total amount");
    assert_eq!(texts(&one_page(&page)), ["Total amount"]);
}

#[test]
fn text_outside_the_page_is_not_shown() {
    assert_eq!(texts(&one_page(&(line(50.0, 700.0, "inside") + &line(50.0, 900.0, "above")))), ["inside"]);
}

#[test]
fn blocks_know_their_page_and_running_headers_stand_once() {
    let body = ["Alpha is the first letter.", "Beta is the second letter.", "Gamma is the third letter.", "Delta is the fourth letter."];
    let page = |(index, text): (usize, &&str)| {
        line(50.0, 780.0, "Handbook") + &line(50.0, 400.0, text) + &line(300.0, 20.0, &(index + 1).to_string())
    };
    let writer = body.iter().enumerate().map(page).fold(PdfWriter::default(), |writer, page| writer.page(&page));
    let document = pdf(writer);
    let found: Vec<(Option<u32>, &str)> = document.blocks.iter().map(|block| block.page).zip(texts(&document)).collect();
    let expected =
        [(1, "Handbook"), (1, body[0]), (1, "1"), (2, body[1]), (3, body[2]), (4, body[3])].map(|(page, text)| (Some(page), text));
    assert_eq!(found, expected);
}

#[test]
fn title_and_language_are_the_files_own() {
    let titled = |title: &str| pdf(PdfWriter::default().page(&line(50.0, 700.0, "text")).title(title));
    assert_eq!(titled("The pumps").title.as_deref(), Some("The pumps"));
    assert_eq!(titled("The pumps").language.as_deref(), Some("en-GB"));
    assert_eq!(titled("Microsoft Word - pumps.doc").title, None);
    assert_eq!(titled("pumps-v2.indd").title, None);
}

#[test]
fn a_password_is_asked_for_only_where_one_is_needed() {
    assert_eq!(read(Format::Pdf, include_bytes!("../fixtures/locked.pdf")), Err(Reason::Encrypted));
    // Encrypted with an empty user password: anyone may read, only printing is forbidden.
    let open = read(Format::Pdf, include_bytes!("../fixtures/print_only.pdf")).unwrap();
    assert_eq!(texts(&open), ["The vault opens at noon."]);
}

#[test]
fn pages_without_text_are_called_scanned() {
    let writer = PdfWriter::default().page("0 0 600 800 re f").page("");
    assert_eq!(read(Format::Pdf, &writer.finish()), Err(Reason::NoText { pages: 2 }));
}

#[test]
fn a_page_limit_holds() {
    let writer = PdfWriter::default().page("").page("").page("");
    let limits = jarre_rag::ingest::Limits { max_pages: 2, ..Default::default() };
    let id = jarre_rag::DocId("doc".to_owned());
    let result = jarre_rag::ingest::read_bytes(id, "doc", Format::Pdf, &writer.finish(), &limits);
    assert_eq!(result.unwrap_err().reason, Reason::TooManyPages { pages: 3, limit: 2 });
}

#[test]
fn what_is_no_pdf_is_malformed() {
    for bytes in [b"".as_slice(), b"%PDF-1.4", b"hello", b"%PDF-1.7\nxref\n0 0\ntrailer\n<<>>\nstartxref\n0\n%%EOF"] {
        let reason = read(Format::Pdf, bytes).unwrap_err();
        assert!(matches!(reason, Reason::Malformed { .. }), "{reason:?}");
    }
}

/// The parser would overflow its stack on these, which ends a process.
#[test]
fn objects_that_nest_without_end_are_malformed() {
    for piece in ["[", "<</A ", "[(])", "[%]\n"] {
        let file = format!("%PDF-1.4\n1 0 obj\n{}\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF", piece.repeat(300_000));
        let reason = read(Format::Pdf, file.as_bytes()).unwrap_err();
        assert_eq!(reason, Reason::Malformed { detail: "objects nested too deep".to_owned() }, "{piece}");
    }
}

#[test]
fn damaged_files_give_a_document_or_a_reason() {
    let whole = PdfWriter::default().page(&lines(50.0, 700.0, &LEFT)).page(&lines(50.0, 700.0, &RIGHT)).finish();
    let cut = (0..whole.len()).step_by(23).map(|end| whole[..end].to_vec());
    let flipped = (0..whole.len()).step_by(17).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        bytes
    });
    for bytes in cut.chain(flipped) {
        match read(Format::Pdf, &bytes) {
            Ok(document) => assert_sound(&document),
            Err(reason) => assert!(!matches!(reason, Reason::TimedOut { .. }), "{reason}"),
        }
    }
}
