use anyhow::{Result, bail};
use jarre_eval::track::{Filter, RunPage, RunQuery, RunSort, SortBy, Tracker};
use jarre_report::{Cell, Column, NumberFormat, Table};
use serde_json::{Value, json};

use crate::args::{Cli, ListArgs};

pub fn list(cli: &Cli, tracker: &Tracker, args: &ListArgs) -> Result<()> {
    let columns = columns(args)?;
    let page = tracker.list_runs(&query(args, &columns)?)?;
    if cli.json {
        print_json(&columns, &page);
    } else {
        print(&columns, &page)?;
    }
    Ok(())
}

/// What is shown beside what every run has.
struct Columns {
    metrics: Vec<String>,
    params: Vec<String>,
    tags: Vec<String>,
}

fn columns(args: &ListArgs) -> Result<Columns> {
    let mut columns = Columns { metrics: Vec::new(), params: Vec::new(), tags: Vec::new() };
    for column in &args.columns {
        match column.split_once('.') {
            Some(("metrics", name)) => columns.metrics.push(name.to_owned()),
            Some(("params", name)) => columns.params.push(name.to_owned()),
            Some(("tags", name)) => columns.tags.push(name.to_owned()),
            _ => bail!("`{column}` is no column; write metrics.NAME, params.NAME or tags.NAME"),
        }
    }
    Ok(columns)
}

fn query(args: &ListArgs, columns: &Columns) -> Result<RunQuery> {
    let mut query = RunQuery::default()
        .with_filter(Filter::parse(&args.filter)?)
        .with_sort(sort(&args.sort)?)
        .with_limit(args.limit)
        .with_metrics(&columns.metrics)
        .with_params(&columns.params)
        .with_tags(&columns.tags);
    if let Some(experiment) = &args.experiment {
        query = query.in_experiment(experiment);
    }
    Ok(match &args.after {
        Some(cursor) => query.after(cursor.parse()?),
        None => query,
    })
}

fn sort(text: &str) -> Result<RunSort> {
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let by = match (name, name.split_once('.')) {
        ("created", _) => SortBy::Created,
        ("started", _) => SortBy::Started,
        ("ended", _) => SortBy::Ended,
        ("name", _) => SortBy::Name,
        ("status", _) => SortBy::Status,
        (_, Some(("metrics", name))) => SortBy::Metric(name.to_owned()),
        (_, Some(("params", name))) => SortBy::Param(name.to_owned()),
        (_, Some(("tags", name))) => SortBy::Tag(name.to_owned()),
        _ => bail!("runs are sorted by created, started, ended, name, status, metrics.NAME, params.NAME or tags.NAME, not by `{name}`"),
    };
    Ok(if descending { RunSort::descending(by) } else { RunSort::ascending(by) })
}

fn print_json(columns: &Columns, page: &RunPage) {
    for row in &page.rows {
        let named = |names: &[String], values: Vec<Value>| names.iter().cloned().zip(values).collect::<serde_json::Map<_, _>>();
        // JSON has no name for what is no number.
        let metrics = row.metrics.iter().map(|value| json!(value.filter(|value| value.is_finite()))).collect();
        println!(
            "{}",
            json!({
                "id": row.id.as_str(), "experiment": row.experiment, "name": row.name, "status": row.status, "model": row.model,
                "created": row.created.to_string(), "ended": row.ended.map(|ended| ended.to_string()),
                "metrics": named(&columns.metrics, metrics),
                "params": named(&columns.params, row.params.iter().map(|value| json!(value)).collect()),
                "tags": named(&columns.tags, row.tags.iter().map(|value| json!(value)).collect()),
            })
        );
    }
    if let Some(next) = &page.next {
        println!("{}", json!({"after": next.to_string()}));
    }
}

fn print(columns: &Columns, page: &RunPage) -> Result<()> {
    let named = columns.metrics.iter().chain(&columns.params).chain(&columns.tags);
    let fixed = ["run", "experiment", "name", "status", "created"].map(Column::new);
    let mut table = Table::new(fixed.into_iter().chain(named.map(|name| Column::new(name).format(NumberFormat::Fixed(4)))));
    for row in &page.rows {
        let mut cells: Vec<Cell> = vec![
            row.id.as_str().into(),
            row.experiment.as_str().into(),
            row.name.as_str().into(),
            row.status.as_str().into(),
            row.created.to_string().into(),
        ];
        cells.extend(row.metrics.iter().map(|value| Cell::from(*value)));
        cells.extend(
            row.params
                .iter()
                .map(|value| value.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).into()),
        );
        cells.extend(row.tags.iter().map(|value| value.clone().into()));
        table.row(cells)?;
    }
    print!("{}", table.to_plain_text());
    if let Some(next) = &page.next {
        println!("there are more: --after {next}");
    }
    Ok(())
}
