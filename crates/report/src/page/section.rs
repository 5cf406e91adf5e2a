use crate::{chart::Chart, html::Html, markup::Markup, table::Table, token_heatmaps::TokenHeatmaps};

/// A part of a page under a heading. Whatever is passed as text is escaped.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    title: String,
    body: Html,
    scripts: Vec<&'static str>,
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Worth knowing.
    Info,
    /// To be kept in mind when reading the figures.
    Warning,
    /// The figures do not say what they seem to: runs that cannot be compared, a gate that failed.
    Problem,
}

impl Section {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), body: Html::default(), scripts: Vec::new() }
    }

    /// Adds paragraphs, which empty lines separate.
    pub fn text(self, text: &str) -> Self {
        self.with(|markup| {
            for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
                markup.leaf("p", paragraph);
            }
        })
    }

    /// Adds a smaller heading.
    pub fn subheading(self, text: &str) -> Self {
        self.with(|markup| markup.leaf("h3", text))
    }

    /// Adds items as a list.
    pub fn list<T: AsRef<str>>(self, items: impl IntoIterator<Item = T>) -> Self {
        self.with(|markup| {
            markup.tag("ul").open();
            for item in items {
                markup.leaf("li", item.as_ref());
            }
            markup.close();
        })
    }

    /// Adds text as it stands, in letters of one width: commands, output, samples.
    pub fn code(self, text: &str) -> Self {
        self.with(|markup| {
            markup.tag("pre").attr("tabindex", 0).open();
            // A parser drops a line break right after the tag.
            markup.text("\n");
            markup.leaf("code", text);
            markup.close();
        })
    }

    /// Adds a remark that stands out.
    pub fn notice(self, kind: Notice, text: &str) -> Self {
        let (class, name) = match kind {
            Notice::Info => ("notice info", "Note"),
            Notice::Warning => ("notice warning", "Caution"),
            Notice::Problem => ("notice problem", "Problem"),
        };
        self.with(|markup| {
            markup.tag("p").attr("class", class).attr("role", "note").open();
            markup.leaf("strong", name);
            markup.text(" ");
            markup.leaf("span", text);
            markup.close();
        })
    }

    /// Adds the figures that matter most, large, each with what it is: `("validation loss", "1.88")`.
    pub fn figures<L: AsRef<str>, V: AsRef<str>>(self, figures: impl IntoIterator<Item = (L, V)>) -> Self {
        self.with(|markup| {
            markup.tag("dl").attr("class", "figures").open();
            for (label, value) in figures {
                markup.tag("div").open();
                markup.leaf("dt", label.as_ref());
                markup.leaf("dd", value.as_ref());
                markup.close();
            }
            markup.close();
        })
    }

    /// Adds a chart.
    pub fn chart(self, chart: &impl Chart) -> Self {
        self.with(|markup| figure(markup, chart))
    }

    /// Adds charts side by side, as many as the screen has room for. They shrink with their letters, so sizes about 460 x 320 read best.
    pub fn charts<'a>(self, charts: impl IntoIterator<Item = &'a dyn Chart>) -> Self {
        self.with(|markup| {
            markup.tag("div").attr("class", "charts").open();
            for chart in charts {
                figure(markup, chart);
            }
            markup.close();
        })
    }

    /// Adds a table.
    pub fn table(self, table: &Table) -> Self {
        self.with(|markup| markup.html(&table.to_html()))
    }

    /// Adds heat maps of attention, with the script that they need.
    pub fn token_heatmaps(mut self, heatmaps: &TokenHeatmaps) -> Self {
        self.scripts.push(TokenHeatmaps::SCRIPT);
        self.with(|markup| markup.html(&heatmaps.to_html()))
    }

    /// Adds a piece of HTML. The page's policy allows no `style` attributes, no `style` or `script` elements, and nothing from elsewhere.
    pub fn html(mut self, html: &Html) -> Self {
        self.body.push(html);
        self
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn body(&self) -> &Html {
        &self.body
    }

    pub(super) fn scripts(&self) -> &[&'static str] {
        &self.scripts
    }

    fn with(mut self, write: impl FnOnce(&mut Markup)) -> Self {
        let mut markup = Markup::default();
        write(&mut markup);
        self.body.push(&markup.into_html());
        self
    }
}

fn figure(markup: &mut Markup, chart: &(impl Chart + ?Sized)) {
    markup.tag("figure").open();
    markup.html(&chart.to_inline_svg());
    markup.close();
}
