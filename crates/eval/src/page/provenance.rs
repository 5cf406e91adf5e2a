//! Where the figures of each variant come from, with the fields marked that are not the same for all.

use jarre_report::{Html, Section};

use super::{
    Report, Variant,
    html::{element, leaf},
};

pub(super) fn section(report: &Report) -> Option<Section> {
    let fields = fields(&report.variants);
    if fields.is_empty() {
        return None;
    }
    let head = [leaf("th", "left", "field")].into_iter().chain(report.variants.iter().map(|variant| leaf("th", "left", &variant.name)));
    let rows = fields.iter().map(|field| row(report, field));
    let table = element("table", "origins", [element("thead", "", [element("tr", "", head)]), element("tbody", "", rows)]);
    let text = "Fields in bold differ between variants: one of them may be the reason for a difference in the figures.";
    Some(Section::new("Provenance").text(text).html(&element("div", "scroll", [table])))
}

/// All fields, in the order in which they are first met.
fn fields(variants: &[Variant]) -> Vec<&str> {
    let mut fields: Vec<&str> = Vec::new();
    for (field, _) in variants.iter().flat_map(|variant| &variant.provenance) {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    fields
}

fn value<'a>(variant: &'a Variant, field: &str) -> &'a str {
    variant.provenance.iter().find(|(name, _)| name == field).map_or("–", |(_, value)| value)
}

fn row(report: &Report, field: &str) -> Html {
    let values: Vec<&str> = report.variants.iter().map(|variant| value(variant, field)).collect();
    let class = if values.iter().any(|other| *other != values[0]) { "differs" } else { "" };
    let cells = values.iter().map(|value| element("td", "left", [leaf("bdi", "", value)]));
    element("tr", class, [leaf("td", "left", field)].into_iter().chain(cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_differ_are_marked() {
        let variant = |fields: &[(&str, &str)]| {
            let provenance = fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
            Variant { provenance, ..Variant::default() }
        };
        let variants = vec![variant(&[("git", "a1"), ("seed", "3")]), variant(&[("seed", "3"), ("cpu", "x")])];
        let report = Report { variants, ..Report::default() };
        assert_eq!(fields(&report.variants), ["git", "seed", "cpu"]);
        let differs = |field| row(&report, field).as_str().starts_with("<tr class=\"differs\">");
        assert_eq!([differs("git"), differs("seed"), differs("cpu")], [true, false, true]);
        assert_eq!(section(&Report::default()), None);
    }
}
