//! Charts as SVG: what to draw is in `line`, `scatter`, `bar`, `heat_map`, `histogram` and `interval`, where to draw it in `axis` and `canvas`.

mod axis;
mod bar;
mod canvas;
mod category;
mod downsample;
mod heat_map;
mod histogram;
mod interval;
mod layer;
mod legend;
mod line;
mod matrix;
mod reference;
mod scatter;
mod series;
mod ticks;
mod xy;

pub use axis::Scale;
pub use bar::{BarChart, Bars};
pub use heat_map::{ColorScale, HeatMap};
pub use histogram::Histogram;
pub use interval::IntervalChart;
pub use line::LineChart;
pub use scatter::ScatterChart;
pub use series::Series;

use crate::html::Html;

/// A chart that a page can hold.
pub trait Chart {
    /// What the chart is called.
    fn title(&self) -> &str;

    /// An `<svg>` element without styles of its own, for a [`Page`](crate::Page), which brings them.
    fn to_inline_svg(&self) -> Html;
}

impl<T: Chart + ?Sized> Chart for &T {
    fn title(&self) -> &str {
        (**self).title()
    }

    fn to_inline_svg(&self) -> Html {
        (**self).to_inline_svg()
    }
}

impl<T: Chart + ?Sized> Chart for Box<T> {
    fn title(&self) -> &str {
        (**self).title()
    }

    fn to_inline_svg(&self) -> Html {
        (**self).to_inline_svg()
    }
}

/// Where a chart will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    /// A file of its own, with its styles.
    File,
    /// Inside a page that has them.
    Page,
}

/// What all charts have.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    title: String,
    description: String,
    x_label: String,
    y_label: String,
    width: f64,
    height: f64,
}

impl Frame {
    fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            width: 720.0,
            height: 380.0,
        }
    }
}

/// The methods that every chart has, for a type with a field `frame` and a method `draw(&self, Setting) -> Html`.
macro_rules! chart_methods {
    ($chart:ty) => {
        impl $chart {
            /// Names what the horizontal axis shows, with its unit.
            pub fn x_label(mut self, label: impl Into<String>) -> Self {
                self.frame.x_label = label.into();
                self
            }

            /// Names what the vertical axis shows, with its unit.
            pub fn y_label(mut self, label: impl Into<String>) -> Self {
                self.frame.y_label = label.into();
                self
            }

            /// A sentence for those who hear the chart; a summary of the data follows it in any case.
            pub fn description(mut self, description: impl Into<String>) -> Self {
                self.frame.description = description.into();
                self
            }

            /// Width and height in CSS pixels, 720 x 380 unless set, held between 200 x 140 and 4000 x 4000. A legend of more than one row
            /// adds to the height.
            pub fn size(mut self, width: u32, height: u32) -> Self {
                self.frame.width = f64::from(width.clamp(200, 4000));
                self.frame.height = f64::from(height.clamp(140, 4000));
                self
            }

            /// A complete SVG file. The same chart gives the same bytes.
            pub fn to_svg(&self) -> String {
                self.draw(crate::chart::Setting::File).into()
            }
        }

        impl crate::chart::Chart for $chart {
            fn title(&self) -> &str {
                &self.frame.title
            }

            fn to_inline_svg(&self) -> crate::html::Html {
                self.draw(crate::chart::Setting::Page)
            }
        }
    };
}

use chart_methods;
