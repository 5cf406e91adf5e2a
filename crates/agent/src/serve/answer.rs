use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::app::App;
use super::failure::{Answer, Failure};
use super::page::run_path;
use super::session::Session;
use super::sign_in::{check_form, form};
use crate::{ApprovalToken, Decision};

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    csrf: String,
    token: String,
    decision: Kind,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    arguments: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Approve,
    Edit,
    Deny,
}

/// Writes down what a person said about a call.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Path(run): Path<String>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Answer {
    let given: Given = form(&app, request).await?;
    check_form(&app, &session, &given.csrf)?;
    let token = ApprovalToken::from(given.token.clone());
    let decision = decision(given)?;
    let back = run_path(&run);
    app.aside(move |app| Box::pin(async move { Ok(app.runs.answer(&run, &token, decision, &app.config.approver).await?) })).await?;
    Ok(Redirect::to(&back).into_response())
}

fn decision(given: Given) -> Answer<Decision> {
    match given.decision {
        Kind::Approve => Ok(Decision::Approved),
        Kind::Deny => {
            let reason = given.reason.trim();
            Ok(Decision::Denied { reason: if reason.is_empty() { "no reason was given".to_owned() } else { reason.to_owned() } })
        }
        Kind::Edit => match serde_json::from_str::<Map<String, Value>>(&given.arguments) {
            Ok(_) => Ok(Decision::Edited { arguments: given.arguments }),
            Err(error) => {
                let told = format!("the arguments are no JSON object: {error}; go back, mend them and send the form again");
                Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, told))
            }
        },
    }
}
