#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod chart;
mod color;
mod error;
mod html;
mod markup;
mod number;
mod page;
mod percent;
mod table;
mod text;
mod token_heatmaps;
mod visible;

pub use chart::{BarChart, Bars, Chart, ColorScale, HeatMap, Histogram, IntervalChart, LineChart, Scale, ScatterChart, Series};
pub use error::{Error, Result};
pub use html::Html;
pub use page::{Notice, Page, Section};
pub use percent::percent_encoded;
pub use table::{Align, Cell, Column, NumberFormat, Table};
pub use token_heatmaps::TokenHeatmaps;
pub use visible::{excerpt, is_hidden, visible};
