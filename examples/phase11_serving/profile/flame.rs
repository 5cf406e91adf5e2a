//! Steps as an icicle and as folded stacks.

use std::fmt::Write;

use super::kernel::{Kernel, Span};
use super::show::Profile;

const WIDTH: f64 = 1200.0;
const ROW: f64 = 18.0;
/// Three rows of frames, a title and room below.
const BAND: f64 = 4.6 * ROW;
/// Pixels that a letter takes about.
const LETTER: f64 = 6.4;

/// A rectangle of an icicle: its place and width are shares of the step.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    depth: usize,
    start: f64,
    share: f64,
    name: String,
    kernel: Option<Kernel>,
}

/// `step;layer;kernel nanoseconds` of each span, and what no kernel explains.
pub(super) fn folded(steps: &[Profile]) -> String {
    let mut text = String::new();
    for step in steps {
        let mut line = |frames: &str, seconds: f64| {
            writeln!(text, "{};{frames} {}", step.name, (seconds * 1e9).round() as u64).expect("a string takes all that is written");
        };
        for span in &step.spans {
            let kernel = span.kernel.name();
            match span.layer {
                Some(layer) => line(&format!("layer {layer:02};{kernel}"), span.seconds),
                None => line(kernel, span.seconds),
            }
        }
        let rest = unexplained(step);
        if rest > 0.0 {
            line("unexplained", rest);
        }
    }
    text
}

/// An icicle for each step, all of one width.
pub(super) fn svg(steps: &[Profile]) -> String {
    let height = BAND * steps.len() as f64 + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"ui-monospace, monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (index, step) in steps.iter().enumerate() {
        let top = BAND * index as f64 + 16.0;
        let title = format!("{}: {:.3} ms", step.name, 1e3 * step.whole);
        writeln!(svg, "<text x=\"4\" y=\"{top:.1}\" font-weight=\"bold\">{title}</text>").expect("a string takes all that is written");
        for frame in frames(step) {
            draw(&mut svg, &frame, top + 4.0, step.whole);
        }
    }
    svg + "</svg>\n"
}

/// The step, its layers and what stands beside them, and the kernels of layers, which follow each other.
fn frames(step: &Profile) -> Vec<Frame> {
    // The replica may take a little longer than the model.
    let total = step.spans.iter().map(|span| span.seconds).sum::<f64>().max(step.whole);
    let frame = |depth, start, seconds: f64, name: String, kernel| Frame { depth, start, share: seconds / total, name, kernel };
    let mut frames = vec![frame(0, 0.0, total, "step".to_owned(), None)];
    let mut at = 0.0;
    for group in step.spans.chunk_by(|a, b| a.layer.is_some() && a.layer == b.layer) {
        let start = at;
        for Span { kernel, seconds, layer } in group {
            frames.push(frame(1 + usize::from(layer.is_some()), at, *seconds, kernel.name().to_owned(), Some(*kernel)));
            at += seconds / total;
        }
        if let Some(layer) = group[0].layer {
            let seconds = group.iter().map(|span| span.seconds).sum();
            frames.push(frame(1, start, seconds, format!("layer {layer}"), None));
        }
    }
    if unexplained(step) > 0.0 {
        frames.push(frame(1, at, unexplained(step), "unexplained".to_owned(), None));
    }
    frames
}

fn unexplained(step: &Profile) -> f64 {
    (step.whole - step.spans.iter().map(|span| span.seconds).sum::<f64>()).max(0.0)
}

fn draw(svg: &mut String, frame: &Frame, top: f64, whole: f64) {
    let Frame { depth, start, share, name, kernel } = frame;
    let (x, y, width) = (start * WIDTH, top + *depth as f64 * ROW, share * WIDTH);
    let fill = kernel.map_or("#d9d9d9", color);
    let shown = share * whole * 1e3;
    let written = if name.len() as f64 * LETTER + 6.0 <= width { name.as_str() } else { "" };
    writeln!(
        svg,
        "<g><title>{name}: {shown:.4} ms, {:.1} %</title><rect x=\"{x:.2}\" y=\"{y:.1}\" width=\"{:.2}\" height=\"{:.1}\" fill=\"{fill}\"/>\
         <text x=\"{:.2}\" y=\"{:.1}\">{written}</text></g>",
        100.0 * share,
        (width - 0.3).max(0.1),
        ROW - 1.0,
        x + 3.0,
        y + 12.5
    )
    .expect("a string takes all that is written");
}

fn color(kernel: Kernel) -> &'static str {
    match kernel {
        Kernel::Embedding => "#c7d5e0",
        Kernel::Norm => "#f0d58c",
        Kernel::Qkv => "#e8a87c",
        Kernel::RopeKvWrite => "#a8d5ba",
        Kernel::Attention => "#7fb7d6",
        Kernel::Output => "#e0a3a3",
        Kernel::GateUp => "#d98880",
        Kernel::Down => "#e59866",
        Kernel::Head => "#b39ddb",
        Kernel::Sampling => "#aab7b8",
    }
}

#[cfg(test)]
mod tests {
    use super::super::roofs::Roofs;
    use super::super::step::Step;
    use super::super::work::Works;
    use super::*;

    /// Two layers of two kernels and a head: 2 ms each, of 12.
    fn profile() -> Profile {
        let span = |layer, kernel| Span { layer, kernel, seconds: 0.002 };
        let layer = |layer| [span(Some(layer), Kernel::Qkv), span(Some(layer), Kernel::Down)];
        let spans = [layer(0), layer(1)].concat().into_iter().chain([span(None, Kernel::Head)]).collect();
        let roofs = Roofs { threads: 1, memory: 1.0, weights: 1.0, float: 1.0, packed: None };
        Profile::new(&Step::decode(1, 4, 9), 0.012, spans, &Works::default(), &roofs)
    }

    #[test]
    fn stacks_are_folded_and_add_up_to_the_step() {
        let text = folded(&[profile()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "decode of 1 stream at 4 tokens;layer 00;down 2000000");
        assert_eq!(lines[4], "decode of 1 stream at 4 tokens;head 2000000");
        let sum: u64 = lines.iter().map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
        assert_eq!((lines.len(), sum), (6, 12_000_000));
    }

    #[test]
    fn frames_fill_the_step_without_gaps() {
        let frames = frames(&profile());
        let of = |depth| frames.iter().filter(move |frame| frame.depth == depth);
        for depth in [0, 1] {
            assert!((of(depth).map(|frame| frame.share).sum::<f64>() - 1.0).abs() < 1e-9);
        }
        let second = of(1).find(|frame| frame.name == "layer 1").unwrap();
        let below: Vec<&Frame> = of(2).filter(|frame| frame.start >= second.start - 1e-9).collect();
        assert!((second.start - 4.0 / 12.0).abs() < 1e-9 && (second.share - 4.0 / 12.0).abs() < 1e-9);
        assert!(below.len() == 2 && (below.iter().map(|frame| frame.share).sum::<f64>() - second.share).abs() < 1e-9);
    }

    #[test]
    fn each_frame_is_drawn() {
        let svg = svg(&[profile(), profile()]);
        assert_eq!(svg.matches("<title>").count(), 2 * frames(&profile()).len());
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains(">unexplained</text>"));
    }
}
