use scraper::{ElementRef, Html, Selector};

use super::{
    Parsed,
    blocks::collapsed,
    readable::{self, Dropped},
    render,
    writer::Writer,
};

/// Reads a page: its readable part, without menus, scripts and what is hidden. Where nothing is left of a page that way, all that it
/// shows is taken.
pub(super) fn read(page: &str) -> Parsed {
    let html = Html::parse_document(page);
    let mut writer = Writer::default();
    render::write(readable::root(&html), Dropped::Boilerplate, &mut writer);
    if writer.is_empty() {
        render::write(html.root_element(), Dropped::Unseen, &mut writer);
    }
    let (text, blocks) = writer.finish();
    Parsed { title: title(&html), language: language(&html), text, blocks }
}

/// `<title>`, else the title for sharing, else the first main heading.
fn title(html: &Html) -> Option<String> {
    let text = |element: ElementRef<'_>| collapsed(&element.text().collect::<String>());
    let shared = |element: ElementRef<'_>| collapsed(element.attr("content").unwrap_or_default());
    let stated = |title: &String| !title.is_empty();
    let first = |css, read: &dyn Fn(ElementRef<'_>) -> String| html.select(&selector(css)).map(read).find(stated);
    first("head > title", &text).or_else(|| first("meta[property='og:title']", &shared)).or_else(|| first("h1", &text))
}

fn language(html: &Html) -> Option<String> {
    let root = html.root_element();
    let stated = root.attr("lang").or_else(|| root.attr("xml:lang"))?.trim();
    (!stated.is_empty()).then(|| stated.to_owned())
}

/// The selector that `css` writes.
pub(super) fn selector(css: &'static str) -> Selector {
    Selector::parse(css).expect("selectors that hold because they are constants of this crate")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BlockKind;

    /// Text and kinds of a page's blocks.
    fn blocks(page: &str) -> Vec<(BlockKind, String)> {
        let parsed = read(page);
        parsed.blocks.into_iter().map(|block| (block.kind, block.span.of(&parsed.text).expect("in range").to_owned())).collect()
    }

    fn texts(page: &str) -> Vec<String> {
        blocks(page).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn title_and_language_are_the_pages_own() {
        let parsed = read("<html lang=' de-AT '><head><title> A\n page </title></head><body><svg><title>icon</title></svg><h1>H</h1>");
        assert_eq!((parsed.title.as_deref(), parsed.language.as_deref()), (Some("A page"), Some("de-AT")));
        assert_eq!(read("<meta property=og:title content='Shared'><title></title><h1>H</h1>").title.as_deref(), Some("Shared"));
        assert_eq!(read("<svg><title>icon</title></svg><h1>The <i>H</i></h1>").title.as_deref(), Some("The H"));
        assert_eq!(read("<p>x").title, None);
        assert_eq!(read("<html lang=''><p>x").language, None);
    }

    #[test]
    fn blocks_are_parted_by_blank_lines_and_items_by_lines() {
        use BlockKind::{Code, Heading, ListItem, Paragraph, Quote};
        let page = "<h2>One <code>two</code></h2><p>a\n  b<br>c</p>d<ul><li>x<ul><li>y</ul><li><p>z</p><p>zz</p></ul>\
                    <ol start=3><li>q</ol><blockquote><p>said</blockquote><pre><code>fn f() {\n    1\n}\n</code></pre>";
        let parsed = read(page);
        let expected = "One two\n\na b\nc\n\nd\n\n- x\n- y\n- z\nzz\n3. q\n\nsaid\n\nfn f() {\n    1\n}\n";
        assert_eq!(parsed.text, expected);
        let kinds: Vec<BlockKind> = parsed.blocks.into_iter().map(|block| block.kind).collect();
        let heading = Heading { level: 2, text: "One two".to_owned() };
        assert_eq!(kinds, [heading, Paragraph, Paragraph, ListItem, ListItem, ListItem, ListItem, ListItem, Quote, Code]);
    }

    #[test]
    fn tables_are_rows_and_layout_tables_are_not() {
        let page = "<table><caption>Sizes</caption><tr><th>Name<th>Size<tr><td>a <b>b</b><td>1<br>2<tr><td><td>3</table>\
                    <table><tr><td><p>one</p><p>two</p></table>";
        let expected = [
            (BlockKind::Paragraph, "Sizes".to_owned()),
            (BlockKind::Table, "Name | Size\na b | 1 2\n| 3".to_owned()),
            (BlockKind::Paragraph, "one".to_owned()),
            (BlockKind::Paragraph, "two".to_owned()),
        ];
        assert_eq!(blocks(page), expected);
    }

    #[test]
    fn menus_scripts_and_hidden_parts_are_left_out() {
        let page = "<header>Site</header><nav>menu</nav><p>text</p><p hidden>no</p><div style='display: none'>no</div>\
                    <span aria-hidden=true>no</span><script>no</script><style>no</style><form><input> no</form><aside>no</aside>\
                    <template>no</template><noscript>no</noscript><div role=navigation>no</div><footer>no</footer><button>no</button>";
        assert_eq!(texts(page), ["text"]);
    }

    #[test]
    fn main_or_article_is_preferred_with_its_own_header() {
        let prose = "A sentence that is long enough to count as the content of a page. ".repeat(5);
        let page = format!("<div>Before</div><main><header><h1>H</h1></header><p>{prose}</p><footer>tags</footer></main><div>After</div>");
        assert_eq!(texts(&page), ["H", prose.trim()]);
        let page = format!("<div>Before</div><article><p>{prose}</p></article><div>After</div>");
        assert_eq!(texts(&page), [prose.trim()]);
    }

    #[test]
    fn an_empty_main_does_not_hide_the_page() {
        assert_eq!(texts("<main></main><div><p>all of the text</p></div>"), ["all of the text"]);
    }

    #[test]
    fn without_marks_the_densest_part_is_taken() {
        let prose = "A sentence that is long enough to count as the content of a page. ".repeat(10);
        let links = "<a href=x>Another page</a> ".repeat(12);
        let page = format!("<div><div id=left>{links}</div><div id=body><h1>H</h1><p>{prose}</p></div></div>");
        assert_eq!(texts(&page), ["H", prose.trim()]);
    }

    #[test]
    fn a_page_inside_one_form_is_read() {
        assert_eq!(texts("<form><h1>H</h1><p>text</p></form>"), ["H", "text"]);
    }

    #[test]
    fn a_page_of_menus_alone_is_still_read() {
        assert_eq!(texts("<nav><a href=x>One</a></nav>"), ["One"]);
    }

    #[test]
    fn permalinks_are_no_part_of_a_heading() {
        assert_eq!(texts("<h2>Install <a href=#install>\u{b6}</a></h2><h2><a href=#c>C</a></h2>"), ["Install", "C"]);
    }
}
