//! Paired comparisons, whole and by slices.

use jarre_report::{Align, Cell, Column, NumberFormat, Section, Table, visible};

use super::{Comparison, Report, Slice};

pub(super) fn section(report: &Report) -> Option<Section> {
    if report.comparisons.is_empty() && report.multiplicity.is_empty() {
        return None;
    }
    let level = NumberFormat::Short.write(report.confidence * 100.0);
    let mut section = Section::new("Comparisons");
    if !report.comparisons.is_empty() {
        let text =
            format!("Differences are candidate less baseline, item by item, with {level} % intervals. A p-value alone is no result.");
        section = section.text(&text).table(&table(&report.comparisons)).list(report.comparisons.iter().filter_map(verdict));
    }
    if !report.multiplicity.is_empty() {
        section = section.subheading("Many tests").list(report.multiplicity.iter().map(|counts| visible(&counts.sentence())));
    }
    for compared in report.comparisons.iter().filter(|compared| !compared.slices.is_empty()) {
        let title = format!("{} against {} by slices, {}", compared.candidate, compared.baseline, compared.metric);
        section = section.subheading(&visible(&title)).table(&slices(&compared.slices));
    }
    Some(section)
}

/// `exact_match, B against A: better by 3 to 13 points`; none without a verdict.
pub(super) fn verdict(compared: &Comparison) -> Option<String> {
    let Comparison { metric, candidate, baseline, verdict, .. } = compared;
    (!verdict.is_empty()).then(|| visible(&format!("{metric}, {candidate} against {baseline}: {verdict}")))
}

fn table(comparisons: &[Comparison]) -> Table {
    let names = ["metric", "baseline", "candidate", "difference", "p", "p adjusted", "detectable", "pairs", "left out", "won, lost"];
    let caption = "detectable: the least difference that as many pairs would find; left out: items without a figure on both sides; won, lost: pairs that only the candidate or only the baseline solved";
    let mut table = Table::new(names.map(column)).caption(caption);
    for compared in comparisons {
        let discordant = compared.discordant.map(|(candidate, baseline)| format!("{candidate}, {baseline}"));
        let row: [Cell; 10] = [
            visible(&compared.metric).into(),
            visible(&compared.baseline).into(),
            visible(&compared.candidate).into(),
            compared.difference.shown().into(),
            p_value(compared.p),
            p_value(compared.p_adjusted),
            compared.minimum_detectable.into(),
            compared.pairs.into(),
            compared.excluded.into(),
            discordant.into(),
        ];
        table.row(row).expect("a cell for each of the names above");
    }
    table
}

fn slices(slices: &[Slice]) -> Table {
    let mut table = Table::new(["slice", "difference", "p", "p adjusted", "pairs"].map(column));
    for slice in slices {
        let name = visible(&slice.name).into();
        let row: [Cell; 5] = [name, slice.difference.shown().into(), p_value(slice.p), p_value(slice.p_adjusted), slice.pairs.into()];
        table.row(row).expect("a cell for each of the names above");
    }
    table
}

fn column(name: &str) -> Column {
    let is_text = ["metric", "baseline", "candidate", "slice"].contains(&name);
    Column::new(name).align(if is_text { Align::Left } else { Align::Right })
}

/// Small ones keep their size, since a bare 0 is never true.
fn p_value(p: Option<f64>) -> Cell {
    match p {
        Some(p) if p < 1e-6 => "< 1e-6".into(),
        p => p.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Estimate, Multiplicity};

    #[test]
    fn a_comparison_is_a_row() {
        let compared = Comparison {
            baseline: "A".to_owned(),
            candidate: "B".to_owned(),
            metric: "m".to_owned(),
            pairs: 90,
            excluded: 10,
            difference: Estimate { value: 0.02, low: -0.01, high: 0.05 },
            discordant: Some((12, 9)),
            p: Some(1e-9),
            ..Comparison::default()
        };
        let csv = table(std::slice::from_ref(&compared)).to_csv();
        let row = csv.lines().nth(1).unwrap();
        assert_eq!(row, "m,A,B,\"0.0200 [-0.0100, 0.0500]\",< 1e-6,,,90,10,\"12, 9\"");
        assert_eq!(verdict(&compared), None);
        let compared = Comparison { verdict: "better".to_owned(), ..compared };
        assert_eq!(verdict(&compared).unwrap(), "m, B against A: better");
    }

    #[test]
    fn counts_of_significant_tests_are_a_sentence() {
        let corrected = vec![("Holm".to_owned(), 33), ("Benjamini-Hochberg".to_owned(), 40)];
        let counts = Multiplicity { family: "subjects".to_owned(), alpha: 0.05, tests: 57, nominal: 41, corrected };
        let sentence = "subjects: 41 of 57 significant at 0.05 as they stand, 33 after Holm, 40 after Benjamini-Hochberg";
        assert_eq!(counts.sentence(), sentence);
    }
}
