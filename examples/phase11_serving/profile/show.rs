//! The tables, JSON and chart of `profile`.

use std::fmt::Write;

use anyhow::Result;
use jarre_report::{Align, Cell, Column, NumberFormat, Scale, ScatterChart, Series, Table};
use serde::Serialize;

use super::ProfileArgs;
use super::flame;
use super::kernel::{Kernel, Span};
use super::roofs::Roofs;
use super::step::Step;
use super::work::{Unit, Work, Works};
use crate::args::Quant;

#[derive(Serialize)]
pub(super) struct Report {
    model: String,
    weights: &'static str,
    /// Bytes of the weights that a step reads.
    weight_bytes: usize,
    roofs: Roofs,
    steps: Vec<Profile>,
}

/// One kind of step.
#[derive(Serialize)]
pub(super) struct Profile {
    pub(super) name: String,
    /// Seconds of the model's own step, sampling included.
    pub(super) whole: f64,
    /// Seconds of it that the kernels do not explain; below 0 where they take longer outside of the model.
    unexplained: f64,
    kernels: Vec<Row>,
    #[serde(skip)]
    pub(super) spans: Vec<Span>,
}

/// A kind of kernel in a step, and how far from its roof it is.
#[derive(Clone, Copy, Serialize)]
struct Row {
    kernel: Kernel,
    seconds: f64,
    /// Operations and bytes a second in units of 1e9, and operations a byte.
    gflops: f64,
    gigabytes: f64,
    intensity: f64,
    /// What `gflops` could be.
    roof: f64,
    bound: &'static str,
}

impl Row {
    fn new(kernel: Kernel, seconds: f64, work: &Work, roofs: &Roofs) -> Self {
        Self {
            kernel,
            seconds,
            gflops: work.operations / seconds / 1e9,
            gigabytes: work.bytes / seconds / 1e9,
            intensity: work.operations / work.bytes,
            roof: roofs.over(work),
            bound: if roofs.is_compute_bound(work) { "compute-bound" } else { "memory-bound" },
        }
    }
}

impl Profile {
    /// `whole` seconds of the model's step, and the kernels' times in one of the replica.
    pub(super) fn new(step: &Step, whole: f64, spans: Vec<Span>, works: &Works, roofs: &Roofs) -> Self {
        let of = |kernel: Kernel| spans.iter().filter(|span| span.kernel == kernel).map(|span| span.seconds).sum();
        let kernels: Vec<Row> =
            Kernel::ALL.into_iter().zip(works).map(|(kernel, work)| Row::new(kernel, of(kernel), work, roofs)).collect();
        let unexplained = whole - kernels.iter().map(|row| row.seconds).sum::<f64>();
        Self { name: step.name.clone(), whole, unexplained, kernels, spans }
    }
}

impl Report {
    pub(super) fn new(args: &ProfileArgs, weight_bytes: usize, roofs: Roofs, steps: Vec<Profile>) -> Self {
        Self {
            model: args.model.as_ref().map_or_else(|| "jarre-tiny".to_owned(), |path| path.display().to_string()),
            weights: match args.quant {
                None => "f32",
                Some(Quant::Bf16) => "bf16",
                Some(Quant::Int8) => "int8",
                Some(Quant::Int4) => "int4",
            },
            weight_bytes,
            roofs,
            steps,
        }
    }

    pub(super) fn to_text(&self) -> Result<String> {
        let Self { model, weights, roofs, .. } = self;
        let megabytes = self.weight_bytes as f64 / 1e6;
        let packed = roofs.packed.map_or_else(String::new, |packed| format!(", {packed:.0} GOP/s of {weights} products"));
        let mut text = format!(
            "{model}, {weights}, {megabytes:.1} MB of weights a step; {} threads\n\
             roofs: {:.1} GB/s from memory, {:.1} GB/s over as much as the weights; {:.0} GFLOP/s of f32 products{packed}\n\
             Kernels run outside of the model with its sizes; GB/s count weights, cache and rows once, and those that lie in a nearer cache pass the roof.\n",
            roofs.threads, roofs.memory, roofs.weights, roofs.float
        );
        for step in &self.steps {
            write!(text, "\n{}\n\n{}", step.name, Self::table(step)?.to_plain_text())?;
        }
        Ok(text)
    }

    fn table(step: &Profile) -> Result<Table> {
        let fixed = |name: &str, decimals| Column::new(name).format(NumberFormat::Fixed(decimals)).align(Align::Right);
        let percent = |name: &str| Column::new(name).format(NumberFormat::Percent(1)).align(Align::Right);
        let mut table = Table::new([
            Column::new("kernel"),
            fixed("ms", 3),
            percent("of step"),
            fixed("GFLOP/s", 1),
            fixed("GB/s", 1),
            fixed("FLOP/byte", 1),
            fixed("roof GFLOP/s", 1),
            percent("of roof"),
            Column::new("bound"),
        ]);
        for Row { kernel, seconds, gflops, gigabytes, intensity, roof, bound } in &step.kernels {
            let numbers = [1e3 * seconds, seconds / step.whole, *gflops, *gigabytes, *intensity, *roof, gflops / roof].map(Cell::from);
            table.row([kernel.name().into()].into_iter().chain(numbers).chain([(*bound).into()]))?;
        }
        let Profile { whole, unexplained, .. } = step;
        for (name, seconds) in [("all of these", whole - unexplained), ("the model's step", *whole), ("unexplained", *unexplained)] {
            let numbers = [1e3 * seconds, seconds / whole].map(Cell::from);
            table.row([name.into()].into_iter().chain(numbers).chain((0..6).map(|_| Cell::Missing)))?;
        }
        Ok(table)
    }

    /// Kernels of every step under the roofs.
    pub(super) fn roofline(&self) -> String {
        let mut chart = ScatterChart::new("Kernels under the roofs")
            .x_label("operations a byte")
            .y_label("GFLOP/s, GOP/s")
            .x_scale(Scale::Log)
            .y_scale(Scale::Log);
        for step in &self.steps {
            chart = chart.series(Series::new(step.name.clone(), step.kernels.iter().map(|row| (row.intensity, row.gflops))));
        }
        let roof = |name: &str, unit: Unit| {
            let at = |intensity: f64| (intensity, (intensity * self.roofs.weights).min(self.roofs.compute(unit)));
            Series::new(name, (-4..=24).map(|power| at(2.0_f64.powf(f64::from(power) / 2.0))))
        };
        chart = chart.curve(roof("roof of f32", Unit::Float));
        if self.roofs.packed.is_some() {
            chart = chart.curve(roof(&format!("roof of {}", self.weights), Unit::Packed));
        }
        chart.to_svg()
    }

    pub(super) fn flame(&self) -> String {
        flame::svg(&self.steps)
    }

    pub(super) fn folded(&self) -> String {
        flame::folded(&self.steps)
    }
}
