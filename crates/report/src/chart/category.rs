//! The names under a chart of categories: level where they fit, turned where not.

use super::canvas::{Canvas, LABEL_SIZE};
use crate::{color::DIM, markup::Px, text};

/// The names of the categories, as they are set under a plot of a given width.
pub(super) struct Labels {
    texts: Vec<String>,
    slot: f64,
    turned: bool,
}

const LONGEST: f64 = 150.0;
/// Room that the first names may take to the left of the plot.
const MOST_OVERHANG: f64 = 120.0;
/// Sine and cosine of the 40 degrees by which long names are turned.
const TURN: (f64, f64) = (0.643, 0.766);

impl Labels {
    pub(super) fn new(names: &[String], width: f64) -> Self {
        let slot = width / names.len().max(1) as f64;
        let texts: Vec<String> = names.iter().map(|name| text::single_line(name)).collect();
        let turned = texts.iter().any(|name| text::width(name, LABEL_SIZE) > slot - 6.0);
        let texts = if turned { texts.iter().map(|name| text::fit(name, LABEL_SIZE, LONGEST)).collect() } else { texts };
        Self { texts, slot, turned }
    }

    /// Height that the names need.
    pub(super) fn depth(&self) -> f64 {
        let longest = self.texts.iter().map(|name| text::width(name, LABEL_SIZE)).fold(0.0, f64::max);
        if self.turned { longest * TURN.0 + LABEL_SIZE + 6.0 } else { 22.0 }
    }

    /// How far the names reach out on the left of the plot.
    pub(super) fn overhang(&self) -> f64 {
        let reach = |(place, name): (usize, &String)| text::width(name, LABEL_SIZE) * TURN.1 - (place as f64 + 0.5) * self.slot;
        let farthest = self.texts.iter().enumerate().map(reach).fold(0.0, f64::max);
        if self.turned { farthest.min(MOST_OVERHANG) } else { 0.0 }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let plot = canvas.plot;
        // Turned names stand a line apart.
        let stride = if self.turned { (LABEL_SIZE * 1.6 / self.slot).ceil().max(1.0) as usize } else { 1 };
        canvas.group(DIM);
        for (place, name) in self.texts.iter().enumerate().step_by(stride) {
            let (x, y) = (plot.left + (place as f64 + 0.5) * self.slot, plot.top + plot.height);
            let tag = canvas.svg.tag("text").attr("fill", "currentColor");
            if self.turned {
                let turn = format!("translate({} {})rotate(-40)", Px(x + 4.0), Px(y + 14.0));
                // What would run off the sheet is cut short.
                tag.attr("text-anchor", "end").attr("transform", turn).text(&text::fit(name, LABEL_SIZE, x / TURN.1));
            } else {
                tag.attr("text-anchor", "middle").px("x", x).px("y", y + 17.0).text(name);
            }
        }
        canvas.svg.close();
    }
}
