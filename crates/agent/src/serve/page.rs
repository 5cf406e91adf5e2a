use std::fmt::Write;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jarre_report::{Html, Page};

/// A page given out: with the policy and the headers that a server adds.
pub(super) fn respond(status: StatusCode, page: &Page) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, served(page)).into_response()
}

/// The page with a policy that lets it send forms to its server and follow its events, and lets the server see that a form is its own. A page
/// from a disk may do neither.
///
/// The first of each text is that of the head, which nothing but literals comes before. Should it be missing, the page may do less, not more.
fn served(page: &Page) -> String {
    let html = page.to_html();
    let html = html.replacen("form-action &#39;none&#39;", "form-action &#39;self&#39;; connect-src &#39;self&#39;", 1);
    html.replacen("name=\"referrer\" content=\"no-referrer\"", "name=\"referrer\" content=\"same-origin\"", 1)
}

/// A paragraph with a link.
pub(super) fn link(to: &str, text: &str) -> Html {
    Html::trusted(maud::html! { p { a href=(to) { (text) } } }.into_string())
}

/// Percent-encoding of everything but letters, digits and `-._~` (RFC 3986, section 2.3).
pub(super) fn encoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => written.push(char::from(byte)),
            _ => write!(written, "%{byte:02X}").expect("a string takes whatever is written to it"),
        }
    }
    written
}

/// Where a run is found.
pub(super) fn run_path(run: &str) -> String {
    format!("/runs/{}", encoded(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_page_may_ask_its_server_and_no_one_else() {
        let html = served(&Page::new("form-action 'none'").script("1"));
        let policy = html.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.contains("default-src &#39;none&#39;") && policy.contains("form-action &#39;self&#39;"), "{policy}");
        assert!(policy.contains("connect-src &#39;self&#39;") && policy.contains("base-uri &#39;none&#39;") && !policy.contains("unsafe"));
        assert!(html.contains("<h1>form-action &#39;none&#39;</h1>") && html.contains("content=\"same-origin\""));
    }

    #[test]
    fn any_name_makes_a_path() {
        assert_eq!(run_path("a/../b?c#ä\u{202e}"), "/runs/a%2F..%2Fb%3Fc%23%C3%A4%E2%80%AE");
    }
}
