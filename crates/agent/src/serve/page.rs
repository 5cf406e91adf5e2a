use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jarre_report::{Html, Page, percent_encoded};

/// A page given out: with the policy and the headers that a server adds.
pub(super) fn respond(status: StatusCode, page: Page) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, page.served().to_html()).into_response()
}

/// A paragraph with a link.
pub(super) fn link(to: &str, text: &str) -> Html {
    Html::trusted(maud::html! { p { a href=(to) { (text) } } }.into_string())
}

/// Where a run is found.
pub(super) fn run_path(run: &str) -> String {
    format!("/runs/{}", percent_encoded(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_makes_a_path() {
        assert_eq!(run_path("a/../b?c#ä\u{202e}"), "/runs/a%2F..%2Fb%3Fc%23%C3%A4%E2%80%AE");
    }
}
