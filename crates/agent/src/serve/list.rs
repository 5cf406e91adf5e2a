use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use jarre_core::Timestamp;
use jarre_report::{Html, Page, Section, excerpt, percent_encoded};
use maud::{Markup, html};
use serde::Deserialize;

use super::app::App;
use super::failure::Answer;
use super::page::{self, run_path};
use super::session::Session;
use super::{RunList, RunSummary};
use crate::view::{STYLE, words};

/// Looks for news while the page is looked at.
const SCRIPT: &str = r#"
const table = () => document.getElementById("runs");
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("runs");
    if (fresh && fresh.outerHTML !== table().outerHTML && !table().contains(document.activeElement)) table().replaceWith(fresh);
  } catch { }
}, 4000);
"#;

#[derive(Deserialize)]
pub(super) struct From {
    after: Option<String>,
}

/// All runs, a page at a time.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(From { after }): Query<From>,
    Extension(session): Extension<Session>,
) -> Answer {
    let is_first = after.is_none();
    let found = app.aside(move |app| Box::pin(async move { Ok(app.runs.list(after.as_deref(), app.config.page.max(1)).await?) })).await?;
    let now = app.clock.timestamp();
    let content = html! { (table(&found, now)) (pages(&found, is_first)) (sign_out(session.csrf(&app.secret).as_deref())) };
    let section = Section::new("Runs").html(&Html::trusted(content.into_string()));
    Ok(page::respond(StatusCode::OK, Page::new("Agents").section(section).style(STYLE).script(SCRIPT)))
}

fn table(found: &RunList, now: Timestamp) -> Markup {
    html! {
        div #runs .scroll {
            @if found.runs.is_empty() { p { "There are no runs yet." } }
            @else {
                table {
                    thead { tr {
                        @for name in ["Run", "Task", "State"] { th scope="col" .left { (name) } }
                        @for name in ["Steps", "Tokens", "Cost", "Age", "Last record"] { th scope="col" .right { (name) } }
                    } }
                    tbody { @for run in &found.runs { (row(run, now)) } }
                }
            }
        }
    }
}

fn row(run: &RunSummary, now: Timestamp) -> Markup {
    html! {
        tr {
            td .left { a href=(run_path(&run.run)) { bdi { (excerpt(&run.run, 60)) } } }
            td .left { bdi { (excerpt(&run.task, 80)) } }
            td .left { span .badge .(run.look) { (excerpt(&run.state, 30)) } }
            td .right { (words::grouped(run.steps)) }
            td .right { (words::grouped(run.tokens)) }
            td .right { (run.cost.to_string()) }
            td .right title=(words::date(run.started)) { (words::lasting(now.since(run.started))) }
            td .right title=(words::date(run.updated)) { (words::lasting(now.since(run.updated))) " ago" }
        }
    }
}

fn pages(found: &RunList, is_first: bool) -> Markup {
    let last = found.runs.last().filter(|_| found.more);
    html! {
        p {
            @if !is_first { a href="/" { "Newest" } " " }
            @if let Some(last) = last { a href={ "/?after=" (percent_encoded(&last.run)) } { "Older" } }
        }
    }
}

fn sign_out(csrf: Option<&str>) -> Markup {
    html! {
        @if let Some(csrf) = csrf {
            form method="post" action="/sign-out" { input type="hidden" name="csrf" value=(csrf); button { "Sign out" } }
        }
    }
}
