use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jarre_report::{Html, Section, percent_encoded};
use maud::html;

use super::app::App;
use super::failure::Answer;
use super::page::{self, run_path};
use super::session::Session;
use crate::view::{self, Forms, Story};

/// Puts what changed in its place: the server escaped it, and the policy runs nothing in it.
const SCRIPT: &str = include_str!("run.js");

/// A run, live while it goes on.
pub(super) async fn show(State(app): State<Arc<App>>, Path(run): Path<String>, Extension(session): Extension<Session>) -> Answer {
    app.aside(move |app| {
        Box::pin(async move {
            let story = app.story(&run).await?;
            let mut page = view::page(&story, &app.html_options(), Some(&forms(&app, &run, &session)));
            page = page.section(more(&run, &story));
            if story.outcome.is_none() {
                page = page.script(SCRIPT);
            }
            Ok(page::respond(StatusCode::OK, page))
        })
    })
    .await
}

/// A run as a file.
pub(super) async fn export(State(app): State<Arc<App>>, Path(run): Path<String>) -> Answer {
    app.aside(move |app| {
        Box::pin(async move {
            let html = view::html(&app.story(&run).await?, &app.html_options());
            Ok(as_file(&run, html))
        })
    })
    .await
}

fn as_file(run: &str, html: String) -> Response {
    let name: String = run.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).take(80).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.html\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, html).into_response()
}

/// What forms of a run's page need.
pub(super) fn forms(app: &App, run: &str, session: &Session) -> Forms {
    Forms { action: format!("{}/approvals", run_path(run)), csrf: session.csrf(&app.secret) }
}

fn more(run: &str, story: &Story) -> Section {
    let path = run_path(run);
    let content = html! {
        @if story.outcome.is_none() {
            p #live role="status" data-events={ (path) "/events" } data-next=(story.next) { "Reload the page to see what is new." }
        }
        p { a href={ (path) "/export" } download={ (percent_encoded(run)) ".html" } { "This run as one file" } }
        p { a href="/" { "All runs" } }
    };
    Section::new("More").html(&Html::trusted(content.into_string()))
}
