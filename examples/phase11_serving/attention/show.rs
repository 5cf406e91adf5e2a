//! The table, JSON and charts of `attention`.

use anyhow::Result;
use jarre_report::{Cell, Column, LineChart, NumberFormat, Scale, Series, Table};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Report {
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    pub(super) causal: bool,
    pub(super) rows: Vec<Row>,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) tokens: usize,
    /// Bytes of all scores, written out.
    pub(super) score_bytes: u64,
    pub(super) flash: Side,
    pub(super) standard: Option<Side>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Side {
    /// Of a call.
    pub(super) seconds: f64,
    /// Of pairs of tokens that see each other.
    pub(super) gflops: f64,
    /// Memory beside inputs and result.
    pub(super) extra_bytes: Option<u64>,
}

impl Report {
    pub(super) fn to_text(&self) -> Result<String> {
        let fixed = |name: &str, decimals| Column::new(name).format(NumberFormat::Fixed(decimals));
        let mut table = Table::new([
            Column::new("tokens"),
            fixed("flash ms", 3),
            fixed("GFLOP/s", 1),
            fixed("extra MiB", 2),
            fixed("standard ms", 3),
            fixed("GFLOP/s", 1),
            fixed("extra MiB", 2),
            fixed("its scores MiB", 2),
            fixed("times faster", 2),
        ]);
        for Row { tokens, score_bytes, flash, standard } in &self.rows {
            let of = |of: fn(&Side) -> Option<f64>| Cell::from(standard.as_ref().and_then(of));
            table.row([
                (*tokens).into(),
                (1e3 * flash.seconds).into(),
                flash.gflops.into(),
                flash.extra_bytes.map(mebibytes).into(),
                of(|side| Some(1e3 * side.seconds)),
                of(|side| Some(side.gflops)),
                of(|side| side.extra_bytes.map(mebibytes)),
                mebibytes(*score_bytes).into(),
                standard.map(|side| side.seconds / flash.seconds).into(),
            ])?;
        }
        let kind = if self.causal { "causal" } else { "full" };
        let Self { heads, head_dim, .. } = self;
        Ok(format!(
            "{kind} attention of {heads} heads of {head_dim}, f32; both were compared with plain sums of 64 bits before\n\
             GFLOP/s: of pairs that see each other; extra: the peak of a fresh process, without inputs and result\n\n{}",
            table.to_plain_text()
        ))
    }

    pub(super) fn time_svg(&self) -> String {
        self.chart("Time of attention", "milliseconds", |side| Some(1e3 * side.seconds)).to_svg()
    }

    /// What is not measurable against a page of memory has no place on the scale.
    pub(super) fn memory_svg(&self) -> String {
        let scores = self.rows.iter().map(|row| (row.tokens as f64, mebibytes(row.score_bytes)));
        let chart = self.chart("Memory of attention", "MiB beside inputs and result", |side| side.extra_bytes.map(mebibytes));
        chart.series(Series::new("scores, written out", scores).dashed()).to_svg()
    }

    fn chart(&self, title: &str, unit: &str, of: fn(&Side) -> Option<f64>) -> LineChart {
        let flash = self.rows.iter().filter_map(|row| Some((row.tokens as f64, of(&row.flash)?)));
        let standard = self.rows.iter().filter_map(|row| Some((row.tokens as f64, of(row.standard.as_ref()?)?)));
        LineChart::new(title)
            .x_label("tokens")
            .y_label(unit)
            .x_scale(Scale::Log)
            .y_scale(Scale::Log)
            .series(Series::new("flash", flash))
            .series(Series::new("standard", standard))
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
