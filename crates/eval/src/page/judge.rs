use jarre_report::{Section, visible};
use serde::{Deserialize, Serialize};

use super::{Figure, Level, Report, cost};

/// A judge, and how far its verdicts can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judge {
    /// Its name, model and prompt version.
    pub name: String,
    /// Labels by people that it was held against.
    pub labels: u64,
    /// Agreement, kappa, position consistency, length bias, rates of error.
    pub figures: Vec<Figure>,
    /// Why its figures should not be used as they are: a calibration that is stale or was never made.
    pub warning: Option<String>,
}

pub(super) fn section(report: &Report) -> Option<Section> {
    if report.judges.is_empty() {
        return None;
    }
    let rows = report.judges.iter().map(|judge| (visible(&judge.name), vec![("labels", judge.labels.into())], &judge.figures[..]));
    let section = Section::new("Judges").text("A judge is an instrument. These are its readings against labels by people.");
    let section = section.table(&cost::figures("judge", rows));
    let warnings = report.judges.iter().filter_map(|judge| Some((judge, judge.warning.as_ref()?)));
    Some(warnings.fold(section, |section, (judge, warning)| {
        section.notice(Level::Warning.into(), &format!("{}: {}", visible(&judge.name), visible(warning)))
    }))
}
