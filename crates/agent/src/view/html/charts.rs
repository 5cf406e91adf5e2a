use jarre_report::{BarChart, Bars, Chart, LineChart, Series};
use maud::{Markup, PreEscaped, html};

use crate::view::Story;

/// Steps from which on bars would be too thin.
const MOST_BARS: usize = 60;

/// Tokens and cost, step by step.
pub(super) fn charts(story: &Story) -> Markup {
    if story.steps.iter().all(|step| step.usage.total_tokens() == 0 && step.cost.micros() == 0) {
        return html! {};
    }
    let read = || story.steps.iter().map(|step| step.usage.prompt_tokens as f64);
    let written = || story.steps.iter().map(|step| step.usage.completion_tokens as f64);
    let cost = || story.steps.iter().map(|step| step.cost.micros() as f64 / 1e6);
    let charts = if story.steps.len() <= MOST_BARS {
        let bars = |title: &str| BarChart::new(title, (1..=story.steps.len()).map(|number| number.to_string()));
        let tokens = bars("Tokens by step").bars(Bars::new("read", read())).bars(Bars::new("written", written())).y_label("tokens");
        let money = bars("Cost by step").bars(Bars::new("", cost())).y_label("US dollars");
        [tokens.x_label("step").size(460, 280).to_inline_svg(), money.x_label("step").size(460, 280).to_inline_svg()]
    } else {
        let line = |values: Vec<f64>| (1_u32..).map(f64::from).zip(values).collect::<Vec<_>>();
        let tokens = LineChart::new("Tokens by step").series(Series::new("read", line(read().collect())));
        let tokens = tokens.series(Series::new("written", line(written().collect()))).y_label("tokens");
        let money = LineChart::new("Cost by step").series(Series::new("cost", line(cost().collect()))).y_label("US dollars");
        [tokens.x_label("step").size(460, 280).to_inline_svg(), money.x_label("step").size(460, 280).to_inline_svg()]
    };
    html! { div .charts { @for chart in charts { figure { (PreEscaped(chart.as_str())) } } } }
}
