//! Colours. Everything is drawn in `currentColor`, and a class of the element around it decides which that is: so a style sheet alone
//! turns a chart dark, and a renderer without style sheets still finds the light colour in the attribute `color`.

use std::fmt::{self, Display};

use crate::{chart::ColorScale, markup::append};

/// Series that have a colour of their own; further ones repeat the colours with broken lines.
pub(crate) const SERIES_COLORS: usize = 8;
/// Steps of a colour scale.
pub(crate) const LEVELS: usize = 65;

/// A colour of sRGB: red, green and blue, a byte each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u32);

/// What stands for a role in light and in dark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role {
    pub(crate) class: &'static str,
    pub(crate) light: Rgb,
    pub(crate) dark: Rgb,
}

pub(crate) const PAPER: Role = Role { class: "paper", light: rgb(*b"ffffff"), dark: rgb(*b"14171c") };
pub(crate) const INK: Role = Role { class: "ink", light: rgb(*b"1b1f24"), dark: rgb(*b"e6e9ed") };
pub(crate) const DIM: Role = Role { class: "dim", light: rgb(*b"57606a"), dark: rgb(*b"9aa4af") };
pub(crate) const GRID: Role = Role { class: "grid", light: rgb(*b"e3e6ea"), dark: rgb(*b"2b3038") };

/// The colours of the series, found by search: pairwise as far apart in `OKLab` as eight can be, under normal vision and the three kinds
/// of colour blindness, the first ones farthest; and at least 3:1 against the paper (tests below).
const SERIES: [Role; SERIES_COLORS] = [
    Role { class: "s0", light: rgb(*b"1a489b"), dark: rgb(*b"437ab3") },
    Role { class: "s1", light: rgb(*b"d1210e"), dark: rgb(*b"dc6a03") },
    Role { class: "s2", light: rgb(*b"028375"), dark: rgb(*b"86c594") },
    Role { class: "s3", light: rgb(*b"c312e6"), dark: rgb(*b"ea81fc") },
    Role { class: "s4", light: rgb(*b"c98723"), dark: rgb(*b"e6e414") },
    Role { class: "s5", light: rgb(*b"399fc5"), dark: rgb(*b"8de4ff") },
    Role { class: "s6", light: rgb(*b"333c49"), dark: rgb(*b"929393") },
    Role { class: "s7", light: rgb(*b"751401"), dark: rgb(*b"9b605b") },
];

/// The colour of a series.
pub(crate) fn series(index: usize) -> Role {
    SERIES[index % SERIES_COLORS]
}

const SEQUENTIAL_LIGHT: [Rgb; 9] =
    anchors([b"fafbf5", b"d8e6b3", b"94d49f", b"44bea9", b"07a0b2", b"047fae", b"1b5da9", b"203b8a", b"1b1967"]);
const SEQUENTIAL_DARK: [Rgb; 9] =
    anchors([b"141b26", b"182e5d", b"154989", b"046d9d", b"0490a5", b"11b2a4", b"67cf90", b"b5e36d", b"fef473"]);
const DIVERGING_LIGHT: [Rgb; 9] =
    anchors([b"17397b", b"226bbf", b"56a4e1", b"a1d8f3", b"f8f6f4", b"f3bc88", b"e57633", b"b53613", b"6f1915"]);
const DIVERGING_DARK: [Rgb; 9] =
    anchors([b"aaeafe", b"51b4e8", b"2778c2", b"234578", b"1e1f22", b"6f341f", b"ba541f", b"f0913e", b"fed898"]);

const fn anchors(colors: [&[u8; 6]; 9]) -> [Rgb; 9] {
    let mut anchors = [Rgb(0); 9];
    let mut place = 0;
    while place < 9 {
        anchors[place] = rgb(*colors[place]);
        place += 1;
    }
    anchors
}

/// A colour by its six hexadecimal digits.
const fn rgb(digits: [u8; 6]) -> Rgb {
    let (mut color, mut place) = (0, 0);
    while place < 6 {
        let digit = digits[place];
        color = color << 4 | (if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }) as u32;
        place += 1;
    }
    Rgb(color)
}

impl ColorScale {
    /// The letter that the classes of the levels begin with.
    pub(crate) fn class(self) -> char {
        match self {
            Self::Sequential => 'q',
            Self::Diverging => 'd',
        }
    }

    /// The colour of a level on light and on dark paper. The lowest (the middle of a diverging scale) is nearly the paper itself, so that
    /// little shows where there is little.
    pub(crate) fn colors(self, level: usize) -> (Rgb, Rgb) {
        let (light, dark) = match self {
            Self::Sequential => (&SEQUENTIAL_LIGHT, &SEQUENTIAL_DARK),
            Self::Diverging => (&DIVERGING_LIGHT, &DIVERGING_DARK),
        };
        (between(light, level), between(dark, level))
    }

    /// Whether text on this level is written in the colour of the paper rather than in that of the ink.
    pub(crate) fn is_far_from_paper(self, level: usize) -> bool {
        let middle = LEVELS / 2;
        match self {
            Self::Sequential => level > middle,
            Self::Diverging => level.abs_diff(middle) > LEVELS / 4,
        }
    }
}

/// Between two anchors in whole numbers, so that every machine finds the same colour.
fn between(anchors: &[Rgb; 9], level: usize) -> Rgb {
    let steps = (LEVELS - 1) / (anchors.len() - 1);
    let level = level.min(LEVELS - 1);
    let (below, part) = ((level / steps).min(anchors.len() - 2), (level - (level / steps).min(anchors.len() - 2) * steps) as u32);
    let (low, high, steps) = (anchors[below].0, anchors[below + 1].0, steps as u32);
    let channel = |shift: u32| {
        let (low, high) = (low >> shift & 0xff, high >> shift & 0xff);
        ((low * (steps - part) + high * part + steps / 2) / steps) << shift
    };
    Rgb(channel(16) | channel(8) | channel(0))
}

/// The style sheet that charts need: the roles, and the levels of the scales asked for, light and dark.
pub(crate) fn style_sheet(scales: &[ColorScale]) -> String {
    let (mut light, mut dark) = (String::new(), String::new());
    let mut rule = |selector: &str, (on_light, on_dark): (Rgb, Rgb)| {
        append(&mut light, format_args!("{selector}{{color:{on_light}}}"));
        append(&mut dark, format_args!("{selector}{{color:{on_dark}}}"));
    };
    rule(".chart", (INK.light, INK.dark));
    for role in [PAPER, INK, DIM, GRID].iter().chain(&SERIES) {
        rule(&format!(".chart .{}", role.class), (role.light, role.dark));
    }
    for scale in scales {
        for level in 0..LEVELS {
            rule(&format!(".chart .{}{level}", scale.class()), scale.colors(level));
        }
    }
    format!("{light}@media screen and (prefers-color-scheme:dark){{{dark}}}")
}

impl Display for Rgb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:06x}", self.0)
    }
}

#[cfg(test)]
#[expect(clippy::many_single_char_names, reason = "the names of the colour spaces")]
mod tests {
    use super::*;

    type Linear = [f64; 3];

    /// Protanopia, deuteranopia and tritanopia of Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color
    /// vision deficiency" (2009), on linear sRGB.
    const BLINDNESS: [[Linear; 3]; 3] = [
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ];

    fn linear(color: Rgb) -> Linear {
        [16, 8, 0].map(|shift| {
            let value = f64::from(color.0 >> shift & 0xff) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(matrix: &[Linear; 3], color: Linear) -> Linear {
        [0, 1, 2].map(|row| (0..3).map(|column| matrix[row][column] * color[column]).sum::<f64>().clamp(0.0, 1.0))
    }

    fn visions(color: Rgb) -> Vec<[f64; 3]> {
        let color = linear(color);
        std::iter::once(color).chain(BLINDNESS.iter().map(|matrix| times(matrix, color))).map(oklab).collect()
    }

    /// `OKLab` (Ottosson 2020).
    fn oklab([r, g, b]: Linear) -> [f64; 3] {
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// WCAG 2.2's contrast ratio.
    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let luminance = |color: Rgb| {
            let [r, g, b] = linear(color);
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    type Theme = (fn(Role) -> Rgb, Rgb);

    fn themes() -> [Theme; 2] {
        [(|role| role.light, PAPER.light), (|role| role.dark, PAPER.dark)]
    }

    #[test]
    fn everything_stands_out_from_the_paper() {
        for (color, paper) in themes() {
            assert!(contrast(color(INK), paper) > 12.0);
            assert!(contrast(color(DIM), paper) > 4.5);
            for role in SERIES {
                assert!(contrast(color(role), paper) >= 2.99, "{} {}", role.class, contrast(color(role), paper));
            }
        }
    }

    #[test]
    fn series_are_told_apart_by_every_eye() {
        for (color, _) in themes() {
            for (place, role) in SERIES.iter().enumerate() {
                for other in &SERIES[..place] {
                    let pairs = visions(color(*role)).into_iter().zip(visions(color(*other)));
                    let nearest = pairs.map(|(a, b)| distance(a, b)).fold(f64::MAX, f64::min);
                    assert!(nearest > 0.095, "{} and {}: {nearest}", role.class, other.class);
                }
            }
        }
    }

    #[test]
    fn the_sequential_scale_is_even_and_grows_for_every_eye() {
        for theme in 0..2 {
            let colors: Vec<Rgb> = (0..LEVELS)
                .map(|level| if theme == 0 { ColorScale::Sequential.colors(level).0 } else { ColorScale::Sequential.colors(level).1 })
                .collect();
            for vision in 0..4 {
                let seen: Vec<[f64; 3]> = colors.iter().map(|color| visions(*color)[vision]).collect();
                let rises = seen.windows(9).all(|pair| if theme == 0 { pair[8][0] < pair[0][0] } else { pair[8][0] > pair[0][0] });
                assert!(rises, "lightness is not monotone in theme {theme} for vision {vision}");
            }
            // Over eight levels, since single levels are rounded to 8 bits a channel.
            let steps: Vec<f64> = (0..LEVELS - 8).map(|low| distance(visions(colors[low])[0], visions(colors[low + 8])[0])).collect();
            let (least, most) = steps.iter().fold((f64::MAX, 0.0_f64), |(least, most), step| (least.min(*step), most.max(*step)));
            assert!(most / least < 1.35, "steps from {least} to {most}");
        }
    }

    #[test]
    fn figures_can_be_read_on_every_level() {
        for scale in [ColorScale::Sequential, ColorScale::Diverging] {
            for level in 0..LEVELS {
                let role = if scale.is_far_from_paper(level) { PAPER } else { INK };
                let (light, dark) = scale.colors(level);
                assert!(contrast(role.light, light) > 2.9, "{scale:?} {level} light {}", contrast(role.light, light));
                assert!(contrast(role.dark, dark) > 2.9, "{scale:?} {level} dark {}", contrast(role.dark, dark));
            }
        }
    }

    #[test]
    fn levels_meet_their_anchors() {
        assert_eq!(ColorScale::Sequential.colors(0), (SEQUENTIAL_LIGHT[0], SEQUENTIAL_DARK[0]));
        assert_eq!(ColorScale::Sequential.colors(32), (SEQUENTIAL_LIGHT[4], SEQUENTIAL_DARK[4]));
        assert_eq!(ColorScale::Diverging.colors(64), (DIVERGING_LIGHT[8], DIVERGING_DARK[8]));
    }
}
