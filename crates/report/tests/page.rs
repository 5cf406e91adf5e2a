//! Pages as a browser's parser sees them.

#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_report::{BarChart, Cell, Column, Html, LineChart, Notice, Page, Section, Series, Table, TokenHeatmaps};
use proptest::prelude::*;
use scraper::{Html as Document, Selector};

const HOSTILE: &str = "</p></script></style></title><script>alert(1)</script><!--<img src=x onerror=alert(1)>\"' &lt; \u{0}\u{202e}";

fn select(document: &Document, selector: &str) -> Vec<String> {
    document.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect::<String>()).collect()
}

fn page(text: &str) -> Page {
    let mut table = Table::new([Column::new(text), Column::new("n")]).caption(text);
    table.row([text.into(), 3.into()]).unwrap();
    let heatmaps = TokenHeatmaps::new([text, "</script>"], [[[1.0_f32, 0.0, 0.5, 0.5]]]).unwrap().figure(text, [0.5]).unwrap();
    Page::new(text)
        .lead(text)
        .section(Section::new(text).text(text).list([text]).code(text).notice(Notice::Info, text).figures([(text, text)]).subheading(text))
        .section(Section::new("charts").chart(&LineChart::new(text).series(Series::new(text, [(1.0, 2.0)]))).table(&table))
        .section(Section::new("bars").chart(&BarChart::new(text, [text])).html(&Html::text(text)).token_heatmaps(&heatmaps))
        .provenance([(text, text)])
}

/// The elements of a page, by name.
fn elements(document: &Document) -> Vec<String> {
    document.root_element().descendants().filter_map(|node| node.value().as_element().map(|element| element.name().to_owned())).collect()
}

#[test]
fn hostile_text_adds_no_element() {
    let html = page(HOSTILE).to_html();
    let document = Document::parse_document(&html);
    assert_eq!(elements(&document), elements(&Document::parse_document(&page("plain text of words").to_html())));
    assert_eq!(select(&document, "script").len(), 2, "the data and the script of the heat maps");
    let shown = HOSTILE.replace('\u{0}', "\u{fffd}");
    for selector in ["title", "h1", "h2", "h3", ".lead", "main p", "li", "pre", ".notice span", "dt", "dd", "td", "th", "caption", "bdi"] {
        assert!(select(&document, selector).contains(&shown), "{selector}: {:?}", select(&document, selector));
    }
}

#[test]
fn nothing_is_loaded_and_nothing_else_may_run() {
    let html = page("words").script("console.log('a < b </script><!-- ')").style("p{content:'</style>'}").to_html();
    let document = Document::parse_document(&html);
    for (selector, count) in
        [("script[src]", 0), ("link", 1), ("img", 0), ("iframe", 0), ("[style]", 0), ("style", 1), ("script:not([type])", 1)]
    {
        assert_eq!(document.select(&Selector::parse(selector).unwrap()).count(), count, "{selector}");
    }
    let events = document
        .root_element()
        .descendants()
        .filter_map(|node| node.value().as_element().map(|element| element.attrs().any(|(name, _)| name.starts_with("on"))));
    assert!(!events.into_iter().any(|found| found));
    let policy = document.select(&Selector::parse("meta[http-equiv]").unwrap()).next().unwrap().attr("content").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let addresses: Vec<&str> = html.match_indices("http").map(|(place, _)| &html[place..(place + 12).min(html.len())]).collect();
    assert!(addresses.iter().all(|address| address.starts_with("http-equiv")), "{addresses:?}");
}

#[test]
fn the_hashes_are_those_of_what_the_parser_finds() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};

    let html = page("words").script("const s = \"</script>\r\n\";").to_html();
    let document = Document::parse_document(&html);
    let policy = document.select(&Selector::parse("meta[http-equiv]").unwrap()).next().unwrap().attr("content").unwrap().to_owned();
    for (selector, directive) in [("style", "style-src"), ("script:not([type])", "script-src")] {
        let content = select(&document, selector).remove(0);
        let hash = STANDARD.encode(Sha256::digest(content.as_bytes()));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}");
    }
}

#[test]
fn contents_lead_to_sections() {
    let html = page("words").to_html();
    let document = Document::parse_document(&html);
    let links =
        document.select(&Selector::parse("nav a").unwrap()).map(|link| link.attr("href").unwrap()[1..].to_owned()).collect::<Vec<_>>();
    assert_eq!(links, ["words", "charts", "bars"]);
    for link in links {
        assert_eq!(document.select(&Selector::parse(&format!("h2[id='{link}']")).unwrap()).count(), 1);
    }
    let single = Page::new("").section(Section::new("only")).to_html();
    assert!(select(&Document::parse_document(&single), "nav").is_empty());
}

#[test]
fn ids_are_unique() {
    let chart = LineChart::new("twice").series(Series::new("a", [(0.0, 1.0)]));
    let html = Page::new("").section(Section::new("twice").chart(&chart).chart(&chart)).section(Section::new("Twice")).to_html();
    let document = Document::parse_document(&html);
    let mut ids: Vec<&str> = document.root_element().descendants().filter_map(|node| node.value().as_element()?.attr("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn tokens_reach_the_script_as_they_were() {
    let tokens = ["</script><!--", "\u{2028}", "\"\\", "a\nb", "עברית", ""];
    let weights: Vec<f32> = (0..36).map(|place| place as f32 / 36.0).collect();
    let heatmaps = TokenHeatmaps::new(tokens, [[weights]]).unwrap();
    let html = Page::new("").section(Section::new("").token_heatmaps(&heatmaps)).to_html();
    let data = select(&Document::parse_document(&html), "script[type='application/json']").remove(0);
    assert!(!data.contains(['<', '>', '&']));
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["tokens"], serde_json::json!(["</script><!--", "\u{2028}", "\"\\", "a⏎b", "עברית", "∅"]));
    assert_eq!((data["causal"].as_bool(), data["layers"].as_u64(), data["heads"].as_u64()), (Some(false), Some(1), Some(1)));
    assert_eq!(data["weights"].as_str().unwrap().len(), 48, "36 bytes in base64");
}

#[test]
fn twelve_layers_of_twelve_heads_over_128_tokens_stay_under_four_megabytes() {
    let weights: Vec<f32> = (0..128 * 128).map(|place| (place % 97) as f32 / 97.0).collect();
    let heatmaps = TokenHeatmaps::new(vec!["token"; 128], vec![vec![&weights; 12]; 12]).unwrap();
    let bytes = Page::new("").section(Section::new("").token_heatmaps(&heatmaps)).to_html().len();
    assert!(bytes < 3_400_000, "{bytes}");
    let causal: Vec<f32> =
        weights.iter().enumerate().map(|(place, weight)| if place % 128 > place / 128 { 0.0 } else { *weight }).collect();
    let heatmaps = TokenHeatmaps::new(vec!["token"; 128], vec![vec![&causal; 12]; 12]).unwrap();
    let bytes = Page::new("").section(Section::new("").token_heatmaps(&heatmaps)).to_html().len();
    assert!(bytes < 1_900_000, "{bytes}");
}

#[test]
fn a_row_must_fit_its_table() {
    let mut table = Table::new([Column::new("a")]);
    assert_eq!(table.row([Cell::Missing, Cell::Missing]).unwrap_err().to_string(), "a row of 2 cells does not fit a table of 1 columns");
    assert!(table.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_stays_text(text in any::<String>()) {
        let document = Document::parse_document(&page(&text).to_html());
        let expected = elements(&Document::parse_document(&page("plain text of words").to_html()));
        // An empty paragraph, caption, lead or heading is left out.
        if !text.trim().is_empty() && !text.contains("\n\n") {
            prop_assert_eq!(elements(&document), expected);
        }
        prop_assert_eq!(select(&document, "script").len(), 2);
    }

    #[test]
    fn markdown_keeps_its_columns(cells in prop::collection::vec(any::<String>(), 3)) {
        let mut table = Table::new([Column::new("a"), Column::new("b"), Column::new("c")]);
        table.row(cells.iter().map(|cell| cell.as_str().into())).unwrap();
        let markdown = table.to_markdown();
        prop_assert_eq!(markdown.lines().count(), 3);
        for line in markdown.lines() {
            prop_assert_eq!(line.replace("\\\\", "").replace("\\|", "").matches('|').count(), 4, "{}", line);
        }
        prop_assert_eq!(table.to_plain_text().lines().count(), 3);
        serde_json::from_str::<serde_json::Value>(&table.to_json()).unwrap();
    }
}
