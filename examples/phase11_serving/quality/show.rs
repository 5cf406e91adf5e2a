//! The tables, JSON and chart of `quality`.

use anyhow::Result;
use jarre_report::{BarChart, Bars, Cell, Column, NumberFormat, Table};
use serde::Serialize;

use super::QualityArgs;
use super::cost::Cost;
use super::figures::{Estimate, Figures};
use super::precision::Precision;
use crate::args::KvKind;

#[derive(Serialize)]
pub(super) struct Report {
    model: String,
    prompt_len: usize,
    continuation_len: usize,
    kv_cache_dtype: KvKind,
    concurrency: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) precision: Precision,
    /// Bytes of all parameters in memory.
    pub(super) weight_bytes: usize,
    #[serde(flatten)]
    pub(super) figures: Figures,
    pub(super) cost: Option<Cost>,
}

impl Report {
    pub(super) fn new(args: &QualityArgs, rows: Vec<Row>) -> Self {
        Self {
            model: args.model.as_ref().map_or_else(|| "jarre-tiny".to_owned(), |path| path.display().to_string()),
            prompt_len: args.prompt_len,
            continuation_len: args.continuation_len,
            kv_cache_dtype: args.kv_cache_dtype,
            concurrency: args.concurrency,
            rows,
        }
    }

    pub(super) fn to_text(&self) -> Result<String> {
        let (prompts, tokens) = self.rows.first().map_or((0, 0), |row| (row.figures.prompts, row.figures.tokens));
        let heading = format!(
            "{}: {prompts} prompts of {} tokens, {tokens} tokens after them scored; intervals of 95 % over prompts\n\n{}",
            self.model,
            self.prompt_len,
            self.quality()?.to_plain_text()
        );
        if self.rows.iter().all(|row| row.cost.is_none()) {
            return Ok(heading);
        }
        Ok(format!(
            "{heading}\nEach in a process of its own; answers of {} tokens, throughput of {} at a time; f16 is computed and kept in f32\n\n{}",
            self.continuation_len,
            self.concurrency,
            self.cost()?.to_plain_text()
        ))
    }

    fn quality(&self) -> Result<Table> {
        let fixed = |name: &str, decimals| Column::new(name).format(NumberFormat::Fixed(decimals));
        let mut table = Table::new([
            Column::new("weights"),
            fixed("perplexity", 3),
            fixed("nats a token - f32", 5),
            fixed("KL(f32 || this)", 6),
            fixed("KL, p99", 6),
            Column::new("same top").format(NumberFormat::Percent(2)),
        ]);
        for Row { precision, figures, .. } in &self.rows {
            table.row([
                Cell::from(precision.to_string()),
                cell(figures.perplexity),
                cell(figures.nats_difference),
                cell(figures.divergence),
                figures.divergence_p99.into(),
                figures.agreement.into(),
            ])?;
        }
        Ok(table)
    }

    fn cost(&self) -> Result<Table> {
        let fixed = |name: &str, decimals| Column::new(name).format(NumberFormat::Fixed(decimals));
        let mut table = Table::new([
            Column::new("weights"),
            fixed("TTFT ms", 2),
            fixed("TPOT ms", 3),
            fixed("tokens/s", 0),
            fixed("weights MiB", 1),
            fixed("resident MiB", 1),
            fixed("peak MiB", 1),
        ]);
        for Row { precision, weight_bytes, cost, .. } in &self.rows {
            let of = |of: fn(&Cost) -> Option<f64>| Cell::from(cost.as_ref().and_then(of));
            table.row([
                Cell::from(precision.to_string()),
                of(|cost| Some(cost.ttft_ms)),
                of(|cost| cost.tpot_ms),
                of(|cost| Some(cost.throughput)),
                mebibytes(*weight_bytes as u64).into(),
                of(|cost| cost.resident_bytes.map(mebibytes)),
                of(|cost| cost.peak_bytes.map(mebibytes)),
            ])?;
        }
        Ok(table)
    }

    /// By how much perplexity grows.
    pub(super) fn to_svg(&self) -> String {
        let rows = || self.rows.iter().filter(|row| row.precision != Precision::F32);
        let bars = rows().map(|row| row.figures.nats_difference.map(|nats| 100.0 * nats.exp_m1()));
        BarChart::new("Perplexity against f32", rows().map(|row| row.precision.to_string()))
            .y_label("change, %, with 95 % interval over prompts")
            .bars(Bars::with_errors("change", bars.map(|Estimate { value, low, high }| (value, low, high))))
            .print_values()
            .to_svg()
    }
}

fn cell(estimate: Estimate) -> Cell {
    Cell::Estimate { value: estimate.value, low: estimate.low, high: estimate.high }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
