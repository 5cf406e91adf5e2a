//! Pages: one HTML file that needs nothing else, from a disk or a server.

mod policy;
mod section;

pub use section::{Notice, Section};

use crate::{chart::ColorScale, color, html::Html, markup::Markup};

/// A self-contained HTML page: sections with charts, tables and text, a table of contents, and a footer that says where it all comes from.
///
/// It loads nothing: styles and scripts are inside, and a content security policy allows these alone, by their hashes. Light or dark
/// follows the reader's setting; paper is light.
///
/// ```
/// use jarre_report::{LineChart, Page, Section, Series};
///
/// let loss = LineChart::new("Loss").series(Series::new("train", [(0.0, 4.1), (1.0, 2.9), (2.0, 2.4)]));
/// let html = Page::new("Run 17 <final>")
///     .lead("Three steps, to see that it runs.")
///     .section(Section::new("Curves").chart(&loss).text("Falling, as it should."))
///     .provenance([("command", "train --steps 3"), ("date", "2026-11-25")])
///     .to_html();
/// assert!(html.starts_with("<!DOCTYPE html>"));
/// assert!(html.contains("<title>Run 17 &lt;final&gt;</title>"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    title: String,
    lead: String,
    sections: Vec<Section>,
    provenance: Vec<(String, String)>,
    style: String,
    script: String,
    is_served: bool,
}

const STYLE: &str = include_str!("page.css");
const TOKEN_STYLE: &str = include_str!("../token_heatmaps/token_heatmaps.css");
/// Sections from which on a page has a table of contents.
const LISTED: usize = 2;

impl Page {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        let (lead, style, script) = (String::new(), String::new(), String::new());
        Self { title: title.into(), lead, sections: Vec::new(), provenance: Vec::new(), style, script, is_served: false }
    }

    /// What the page says, in a sentence or two under its title.
    pub fn lead(mut self, lead: impl Into<String>) -> Self {
        self.lead = lead.into();
        self
    }

    /// Adds a section.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Adds to the footer what is needed to make the page again: the command, versions, seeds, hardware, the date. The crate looks at no
    /// clock and no environment, so that the same input gives the same bytes.
    pub fn provenance<K: Into<String>, V: Into<String>>(mut self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.provenance.extend(entries.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Adds styles of the page's own. `</` within them is written so that it cannot end the element.
    pub fn style(mut self, css: &str) -> Self {
        self.style.push_str(css);
        self.style.push('\n');
        self
    }

    /// Adds a script that runs when the page has loaded, in a scope of its own. It can reach no network but the server of a page that is
    /// [`served`](Self::served). `</script` and `<!--` within it are written with a backslash, which means the same inside of strings.
    pub fn script(mut self, javascript: &str) -> Self {
        self.script.push_str("(() => {\n");
        self.script.push_str(javascript);
        self.script.push_str("\n})();\n");
        self
    }

    /// Makes it a page that a server gives out: it may send forms to that server and ask it from its script, and the server sees that a form is its
    /// own (`Referer`). A page from a disk may do neither.
    pub fn served(mut self) -> Self {
        self.is_served = true;
        self
    }

    /// The page.
    pub fn to_html(&self) -> String {
        let style = policy::inside_style(
            &[STYLE, TOKEN_STYLE, &color::style_sheet(&[ColorScale::Sequential, ColorScale::Diverging]), &self.style].concat(),
        );
        let script = policy::inside_script(&self.scripts());
        let mut markup = Markup::default();
        markup.tag("html").attr("lang", "en").open();
        self.head(&mut markup, &policy::content_security_policy(&style, &script, self.is_served), style);
        markup.tag("body").open();
        markup.tag("a").attr("class", "skip").attr("href", "#content").text("Skip to the content");
        let anchors = anchors(&self.sections);
        self.contents(&mut markup, &anchors);
        self.content(&mut markup, &anchors);
        self.footer(&mut markup);
        if !script.is_empty() {
            markup.tag("script").open();
            markup.html(&Html::trusted(script));
            markup.close();
        }
        markup.close();
        markup.close();
        format!("<!DOCTYPE html>\n{}\n", markup.into_html())
    }

    fn head(&self, markup: &mut Markup, policy: &str, style: String) {
        markup.tag("head").open();
        markup.tag("meta").attr("charset", "utf-8").empty();
        markup.tag("meta").attr("http-equiv", "Content-Security-Policy").attr("content", policy).empty();
        markup.tag("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1").empty();
        markup.tag("meta").attr("name", "color-scheme").attr("content", "light dark").empty();
        markup.tag("meta").attr("name", "referrer").attr("content", if self.is_served { "same-origin" } else { "no-referrer" }).empty();
        // Browsers ask a server for an icon unless there is one.
        markup.tag("link").attr("rel", "icon").attr("href", "data:,").empty();
        markup.leaf("title", &self.title);
        markup.tag("style").open();
        markup.html(&Html::trusted(style));
        markup.close();
        markup.close();
    }

    fn contents(&self, markup: &mut Markup, anchors: &[String]) {
        if self.sections.len() < LISTED {
            return;
        }
        markup.tag("nav").attr("aria-label", "Contents").open();
        markup.tag("ol").open();
        for (section, anchor) in self.sections.iter().zip(anchors) {
            markup.tag("li").open();
            markup.tag("a").attr("href", format_args!("#{anchor}")).text(section.title());
            markup.close();
        }
        markup.close();
        markup.close();
    }

    fn content(&self, markup: &mut Markup, anchors: &[String]) {
        markup.tag("main").attr("id", "content").open();
        markup.leaf("h1", &self.title);
        if !self.lead.is_empty() {
            markup.tag("p").attr("class", "lead").text(&self.lead);
        }
        for (section, anchor) in self.sections.iter().zip(anchors) {
            markup.tag("section").attr("aria-labelledby", anchor).open();
            markup.tag("h2").attr("id", anchor).text(section.title());
            markup.html(section.body());
            markup.close();
        }
        markup.close();
    }

    fn footer(&self, markup: &mut Markup) {
        if self.provenance.is_empty() {
            return;
        }
        markup.tag("footer").open();
        markup.tag("dl").attr("class", "provenance").attr("aria-label", "Provenance").open();
        for (key, value) in &self.provenance {
            markup.tag("div").open();
            markup.leaf("dt", key);
            markup.tag("dd").open();
            markup.leaf("bdi", value);
            markup.close();
            markup.close();
        }
        markup.close();
        markup.close();
    }

    /// The scripts of the sections, each once, and those of the page.
    fn scripts(&self) -> String {
        let mut scripts: Vec<&str> = Vec::new();
        for script in self.sections.iter().flat_map(Section::scripts) {
            if !scripts.contains(script) {
                scripts.push(script);
            }
        }
        scripts.concat() + &self.script
    }
}

/// An id for each section, made of the letters and digits of its title.
fn anchors(sections: &[Section]) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::with_capacity(sections.len());
    for section in sections {
        let words: Vec<String> = section
            .title()
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let stem = if words.is_empty() { "section".to_owned() } else { words.join("-") };
        let taken = |anchor: &String| anchor == "content" || anchors.contains(anchor);
        let numbered = (2..=sections.len() + 2).map(|count| format!("{stem}-{count}"));
        let free = std::iter::once(stem.clone()).chain(numbered).find(|anchor| !taken(anchor));
        anchors.push(free.expect("one of more names than there are sections is free"));
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_page_may_ask_its_server_and_no_one_else() {
        let html = Page::new("form-action 'none'").script("1").served().to_html();
        let policy = html.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.contains("default-src &#39;none&#39;") && policy.contains("form-action &#39;self&#39;"), "{policy}");
        assert!(policy.contains("connect-src &#39;self&#39;") && policy.contains("base-uri &#39;none&#39;") && !policy.contains("unsafe"));
        assert!(html.contains("<h1>form-action &#39;none&#39;</h1>") && html.contains("content=\"same-origin\""));
    }

    #[test]
    fn every_section_has_an_anchor_of_its_own() {
        let titles = ["Loss", "loss!", "Content", "", "名前 2", "<b>", "loss 2"];
        let sections: Vec<Section> = titles.iter().map(|title| Section::new(*title)).collect();
        assert_eq!(anchors(&sections), ["loss", "loss-2", "content-2", "section", "名前-2", "b", "loss-2-2"]);
    }
}
