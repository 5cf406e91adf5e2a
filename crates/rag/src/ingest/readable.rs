//! Finding the part of a page that a person reads.

use std::collections::HashMap;

use ego_tree::{NodeId, NodeRef, iter::Edge};
use scraper::{ElementRef, Html, Node};

use super::html::selector;

/// Share of the page's prose that a marked main part must hold to be believed: some pages mark an empty one and fill another.
const MARKED_SHARE: f64 = 0.25;
/// The same for an article: a page that lists many is read as a whole.
const ARTICLE_SHARE: f64 = 0.5;
/// Share of a part's prose that one child must hold for the rest to count as decoration.
const DENSE_SHARE: f64 = 0.85;

/// What is left out of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// What a browser does not show as text.
    Unseen,
    /// That, and menus, page headers and footers, asides and forms.
    Boilerplate,
}

impl Dropped {
    /// Whether `element` and all in it are left out.
    pub(super) fn covers(self, element: ElementRef<'_>) -> bool {
        is_unseen(element) || (self == Self::Boilerplate && is_boilerplate(element))
    }
}

/// The element that holds the readable part: a marked one, else the article, else the densest one by prose, which is text outside links.
pub(super) fn root(html: &Html) -> ElementRef<'_> {
    let prose = Prose::of(html);
    let body = html.select(&selector("body")).next().unwrap_or_else(|| html.root_element());
    let heaviest = |css| html.select(&selector(css)).max_by_key(|element| prose.within(**element));
    let holds = |share: f64, element: &ElementRef<'_>| prose_share(&prose, **element, *body) >= share;
    let marked = heaviest("main, [role='main']").filter(|main| holds(MARKED_SHARE, main));
    let article = || heaviest("article").filter(|article| holds(ARTICLE_SHARE, article));
    marked.or_else(article).unwrap_or_else(|| densest(&prose, body))
}

/// Goes down from `element` as long as one container in it holds nearly all of its prose. A cell can be one: old pages are laid out by
/// tables.
fn densest<'a>(prose: &Prose, mut element: ElementRef<'a>) -> ElementRef<'a> {
    let holds_most = |child: &ElementRef<'a>, parent: ElementRef<'a>| prose_share(prose, **child, *parent) >= DENSE_SHARE;
    while let Some(child) = containers(element).find(|child| holds_most(child, element)) {
        element = child;
    }
    element
}

/// The elements in `element` that can stand for the whole page: a paragraph or a list cannot, however long it is.
fn containers(element: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    element.child_elements().flat_map(|child| match child.value().name() {
        "div" | "section" | "article" | "main" | "center" | "form" => vec![child],
        "table" => rows(child).flat_map(|row| row.child_elements()).filter(|cell| cell.value().name() == "td").collect(),
        _ => Vec::new(),
    })
}

/// The rows of a table, those of tables in its cells aside.
fn rows(table: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    table.child_elements().flat_map(|part| part.child_elements()).filter(|row| row.value().name() == "tr")
}

fn prose_share(prose: &Prose, part: NodeRef<'_, Node>, whole: NodeRef<'_, Node>) -> f64 {
    match prose.within(whole) {
        0 => 0.0,
        all => prose.within(part) as f64 / all as f64,
    }
}

/// Characters of text outside links, white space not counted, under each element.
struct Prose(HashMap<NodeId, usize>);

impl Prose {
    fn of(html: &Html) -> Self {
        let mut under = HashMap::new();
        let mut open: Vec<usize> = Vec::new();
        let mut skipped: Option<NodeId> = None;
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(node) if skipped.is_none() => {
                    if let (Some(text), Some(count)) = (node.value().as_text(), open.last_mut()) {
                        *count += text.chars().filter(|c| !c.is_whitespace()).count();
                    }
                    open.push(0);
                    skipped = is_no_prose(node).then(|| node.id());
                }
                Edge::Close(node) if skipped.is_none_or(|id| id == node.id()) => {
                    skipped = None;
                    let count = open.pop().unwrap_or(0);
                    under.insert(node.id(), count);
                    if let Some(parent) = open.last_mut() {
                        *parent += count;
                    }
                }
                _ => {}
            }
        }
        Self(under)
    }

    fn within(&self, node: NodeRef<'_, Node>) -> usize {
        self.0.get(&node.id()).copied().unwrap_or(0)
    }
}

fn is_no_prose(node: NodeRef<'_, Node>) -> bool {
    ElementRef::wrap(node).is_some_and(|element| element.value().name() == "a" || Dropped::Boilerplate.covers(element))
}

fn is_unseen(element: ElementRef<'_>) -> bool {
    const NAMES: [&str; 21] = [
        "annotation",
        "area",
        "audio",
        "canvas",
        "datalist",
        "dialog",
        "embed",
        "head",
        "iframe",
        "map",
        "math-annotation",
        "noembed",
        "noframes",
        "noscript",
        "object",
        "script",
        "source",
        "style",
        "svg",
        "template",
        "video",
    ];
    let styled = |style: &str| {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        style.contains("display:none") || style.contains("visibility:hidden")
    };
    NAMES.contains(&element.value().name())
        || element.attr("hidden").is_some()
        || element.attr("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || element.attr("style").is_some_and(styled)
}

fn is_boilerplate(element: ElementRef<'_>) -> bool {
    const ROLES: [&str; 5] = ["banner", "complementary", "contentinfo", "navigation", "search"];
    let by_name = match element.value().name() {
        "nav" | "aside" | "footer" | "menu" | "button" | "select" | "textarea" | "input" => true,
        // The header of an article holds its title; that of a page holds the site's.
        "header" => !in_content(element),
        // Some sites wrap a whole page in a form.
        "form" => element.select(&selector("p, h1, h2, h3, article, main")).next().is_none(),
        _ => false,
    };
    by_name || element.attr("role").is_some_and(|role| ROLES.contains(&role.trim()))
}

fn in_content(element: ElementRef<'_>) -> bool {
    let is_content = |element: ElementRef<'_>| matches!(element.value().name(), "main" | "article") || element.attr("role") == Some("main");
    element.ancestors().filter_map(ElementRef::wrap).any(is_content)
}
