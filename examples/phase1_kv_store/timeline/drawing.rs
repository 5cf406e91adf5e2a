use std::collections::BTreeSet;
use std::fmt::Write;

use jarre_report::{Chart, Html};

use super::{Timeline, letter, mark::Mark};
use crate::{
    deployment::{MILLI, Micros},
    record::{Operation, Reign},
    request::{Answer, Input, key_name},
};

const WIDTH: f64 = 1_100.0;
const LEFT: f64 = 80.0;
const ROW: f64 = 26.0;
const TOP: f64 = 24.0;
/// Colours for terms; further ones repeat.
const TERMS: u64 = 6;

/// The timeline as a drawing for a page, with a name on everything that a pointer can rest on.
pub(crate) struct Drawing<'a>(pub(crate) Timeline<'a>);

impl Drawing<'_> {
    /// What a page with drawings needs.
    pub(crate) const STYLE: &'static str = include_str!("drawing.css");

    fn x(&self, at: Micros) -> f64 {
        let end = self.0.end.max(1);
        LEFT + (WIDTH - LEFT - 10.0) * at.min(end) as f64 / end as f64
    }

    fn clients(&self) -> Vec<u64> {
        let clients: BTreeSet<u64> = self.0.operations.iter().map(|operation| operation.client).collect();
        clients.into_iter().collect()
    }

    fn axis(&self, svg: &mut Svg, height: f64) {
        let step = 500 * MILLI * (1 + self.0.end / (12_000 * MILLI));
        for at in (0..=self.0.end).step_by(step as usize) {
            let x = self.x(at);
            svg.line("tick", (x, TOP), (x, height - 20.0));
            svg.text("label", (x, height - 6.0), &format!("{:.1} s", at as f64 / 1e6), "middle");
        }
    }

    fn faults(&self, svg: &mut Svg, height: f64) {
        for (from, until, what) in &self.0.faults {
            let (left, right) = (self.x(*from), self.x(*until));
            svg.rect("broken", (left, TOP), (right - left, height - TOP - 20.0), what);
            svg.text("label", (left + 3.0, TOP - 8.0), what, "start");
        }
    }

    fn nodes(&self, svg: &mut Svg) {
        for node in 0..self.0.nodes {
            let middle = TOP + ROW * (node as f64 + 0.5);
            svg.text("name", (LEFT - 8.0, middle + 4.0), &letter(node), "end");
            svg.line("row", (LEFT, middle), (WIDTH - 10.0, middle));
        }
        for Reign { node, term, from, until } in self.0.reigns {
            let (left, right) = (self.x(*from), self.x(until.unwrap_or(self.0.end)));
            let class = term.map_or("reign none".to_owned(), |term| format!("reign t{}", term % TERMS));
            let says = term.map_or(format!("{} leads", letter(*node)), |term| format!("{} leads in term {term}", letter(*node)));
            svg.rect(&class, (left, TOP + ROW * *node as f64 + 4.0), ((right - left).max(1.5), ROW - 8.0), &says);
        }
    }

    fn operations(&self, svg: &mut Svg) {
        for (row, client) in self.clients().into_iter().enumerate() {
            let middle = TOP + ROW * (self.0.nodes as f64 + row as f64 + 0.9);
            svg.text("name", (LEFT - 8.0, middle + 4.0), &format!("client {client}"), "end");
            for (place, operation) in self.0.operations.iter().enumerate().filter(|(_, operation)| operation.client == client) {
                let mark = Mark::of(place, operation, self.0.lost);
                svg.mark(mark, (self.x(operation.call), middle), &says(operation, mark));
            }
        }
    }
}

impl Chart for Drawing<'_> {
    fn title(&self) -> &str {
        &self.0.title
    }

    fn to_inline_svg(&self) -> Html {
        let rows = self.0.nodes + self.clients().len();
        let height = TOP + ROW * (rows as f64 + 0.9) + 24.0;
        let mut svg = Svg::new(WIDTH, height, &self.0.title);
        self.faults(&mut svg, height);
        self.axis(&mut svg, height);
        self.nodes(&mut svg);
        self.operations(&mut svg);
        svg.end()
    }
}

/// An operation in words.
pub(crate) fn says(operation: &Operation, mark: Mark) -> String {
    let asked = match operation.input {
        Input::Write(value) => format!("{} = {value}", key_name(operation.key)),
        Input::Read(level) => format!("{} read of {}", level.name(), key_name(operation.key)),
    };
    let answered = match &operation.answer {
        Answer::Value { value: Some(value), .. } => format!("{value}"),
        Answer::Value { value: None, .. } => "nothing there".to_owned(),
        Answer::Refused { reason, .. } => reason.name().to_owned(),
        Answer::Written | Answer::Unknown => mark.says().to_owned(),
    };
    let at = operation.call as f64 / MILLI as f64;
    format!("{at:.1} ms, client {} at {}: {asked}: {answered}", operation.client, letter(operation.node))
}

/// Markup whose every text is escaped.
struct Svg(String);

impl Svg {
    fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self(String::new());
        let title = Html::text(title);
        svg.put(format_args!(
            "<svg class=\"chart timeline\" role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">\
             <title>{title}</title>"
        ));
        svg
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.put(format_args!("<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>", from.0, from.1, to.0, to.1));
    }

    fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), says: &str) {
        let says = Html::text(says);
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{says}</title></rect>",
            at.0, at.1, size.0, size.1
        ));
    }

    fn text(&mut self, class: &str, at: (f64, f64), text: &str, anchor: &str) {
        let text = Html::text(text);
        self.put(format_args!("<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>", at.0, at.1));
    }

    /// Shapes differ as colours do, for those who do not tell the colours apart.
    fn mark(&mut self, mark: Mark, (x, y): (f64, f64), says: &str) {
        let path = match mark {
            Mark::Read => "m-1.5 -3h3v6h-3z",
            Mark::Written => "m-3 -3h6v6h-6z",
            Mark::Refused => "m-4 -1h8v2h-8z",
            Mark::Unknown => "m0 -5l5 5l-5 5l-5 -5z",
            Mark::Lost => "m-6 -4l2 -2l4 4l4 -4l2 2l-4 4l4 4l-2 2l-4 -4l-4 4l-2 -2l4 -4z",
        };
        let says = Html::text(says);
        let class = format!("{mark:?}").to_lowercase();
        self.put(format_args!("<path class=\"{class}\" d=\"M{x:.1} {y:.1}{path}\"><title>{says}</title></path>"));
    }

    fn end(mut self) -> Html {
        self.put(format_args!("</svg>"));
        Html::trusted(self.0)
    }

    fn put(&mut self, piece: std::fmt::Arguments<'_>) {
        self.0.write_fmt(piece).expect("a string takes what is written to it");
    }
}
