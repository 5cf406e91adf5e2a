use jarre_report::{BarChart, Bars, Chart, Html, LineChart, Series};
use maud::{Markup, PreEscaped, html};

use crate::view::{Step, Story};

/// Steps from which on bars would be too thin.
const MOST_BARS: usize = 60;

/// Tokens and cost, step by step; what no step has is not drawn.
pub(super) fn charts(story: &Story) -> Markup {
    let of = |value: fn(&Step) -> f64| story.steps.iter().map(value).collect::<Vec<_>>();
    let tokens = vec![("read", of(|step| step.usage.prompt_tokens as f64)), ("written", of(|step| step.usage.completion_tokens as f64))];
    let cost = vec![("", of(|step| step.cost.micros() as f64 / 1e6))];
    let drawn = [("Tokens by step", "tokens", tokens), ("Cost by step", "US dollars", cost)].map(|(title, unit, series)| {
        let has_any = series.iter().any(|(_, values)| values.iter().any(|value| *value != 0.0));
        has_any.then(|| drawing(title, unit, series))
    });
    let drawn: Vec<_> = drawn.into_iter().flatten().collect();
    html! {
        @if !drawn.is_empty() {
            div .charts { @for svg in drawn { figure { (PreEscaped(svg.as_str())) } } }
        }
    }
}

/// Bars, or lines over very many steps.
fn drawing(title: &str, unit: &str, series: Vec<(&'static str, Vec<f64>)>) -> Html {
    let steps = series.first().map_or(0, |(_, values)| values.len());
    if steps <= MOST_BARS {
        let empty = BarChart::new(title, (1..=steps).map(|number| number.to_string()));
        let chart = series.into_iter().fold(empty, |chart, (name, values)| chart.bars(Bars::new(name, values)));
        return chart.y_label(unit).x_label("step").size(460, 280).to_inline_svg();
    }
    let chart = series.into_iter().fold(LineChart::new(title), |chart, (name, values)| {
        chart.series(Series::new(name, (1_u32..).map(f64::from).zip(values).collect::<Vec<_>>()))
    });
    chart.y_label(unit).x_label("step").size(460, 280).to_inline_svg()
}
