use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use jarre_report::{Html, Page, Section};
use maud::html;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::app::App;
use super::failure::{Answer, Failure};
use super::page;
use super::session::Session;
use crate::view::STYLE;

/// Takes the secret out of the address, where it is never sent, and sends it as the form does.
const SCRIPT: &str = r#"
const field = document.querySelector("input[name=secret]");
const given = location.hash.slice(1);
if (given) {
  history.replaceState(null, "", location.pathname);
  field.value = given;
  field.form.submit();
}
"#;

/// Asks for the secret.
pub(super) async fn page() -> Response {
    let form = html! {
        form method="post" action="/sign-in" {
            label { "Secret" input type="password" name="secret" autocomplete="current-password" required; }
            p { button { "Sign in" } }
        }
    };
    let told = "The program that serves this page printed an address that signs you in, or was given a secret to ask for.";
    let section = Section::new("Sign in").text(told).html(&Html::trusted(form.into_string()));
    page::respond(StatusCode::OK, Page::new("Agents").section(section).style(STYLE).script(SCRIPT))
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    secret: String,
}

/// Gives out a cookie for the secret.
pub(super) async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Answer {
    let SignIn { secret } = form(&app, request).await?;
    if !app.secret.accepts(secret.trim()) {
        tracing::warn!("someone tried to sign in with a wrong secret");
        return Err(Failure::new(StatusCode::FORBIDDEN, "this is not the secret of the dashboard"));
    }
    let value = Session::begin(&app.secret, app.clock.timestamp());
    Ok(with_cookie(&app, &value, app.config.session.as_secs()))
}

#[derive(Deserialize)]
pub(super) struct SignOut {
    csrf: String,
}

/// Takes the cookie back.
pub(super) async fn sign_out(State(app): State<Arc<App>>, Extension(session): Extension<Session>, request: Request) -> Answer {
    let SignOut { csrf } = form(&app, request).await?;
    check_form(&app, &session, &csrf)?;
    Ok(with_cookie(&app, "", 0))
}

fn with_cookie(app: &App, value: &str, seconds: u64) -> Response {
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}", app.cookie);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

/// A form, as far as the dashboard takes it.
pub(super) async fn form<T: DeserializeOwned>(app: &App, request: Request) -> Answer<T> {
    let read = timeout(app.config.body_timeout, Form::from_request(request, &())).await;
    let read = read.map_err(|_| Failure::new(StatusCode::REQUEST_TIMEOUT, "the form did not come in time"))?;
    let Form(form) = read.map_err(|refused| Failure::new(refused.status(), refused.body_text()))?;
    Ok(form)
}

/// Refuses a form that did not come from a page of this session.
pub(super) fn check_form(app: &App, session: &Session, csrf: &str) -> Answer<()> {
    if session.accepts(&app.secret, csrf) {
        return Ok(());
    }
    Err(Failure::new(StatusCode::FORBIDDEN, "the form is not one of this session's pages; reload the page and try again"))
}
