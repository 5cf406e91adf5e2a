use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::app::App;
use super::failure::Failure;
use super::session::Session;

/// Lets pass who asked for this dashboard by a name of its own, from no page of another, and has signed in.
pub(super) async fn check(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !host(headers).is_some_and(|host| is_known(host, &app.hosts)) {
        let told = "the dashboard does not answer to this name; use the address that it printed, or add the name to its hosts";
        return Failure::new(StatusCode::MISDIRECTED_REQUEST, told).into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && is_foreign(headers, &app.hosts) {
        return Failure::new(StatusCode::FORBIDDEN, "the form came from another site's page").into_response();
    }
    if matches!(request.uri().path(), "/health" | "/sign-in") {
        return next.run(request).await;
    }
    let session = Session::of(headers, &app.secret, &app.cookie, app.clock.timestamp(), app.config.session);
    match session {
        Some(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        None if reads && wants_page(headers) => Redirect::to("/sign-in").into_response(),
        None => Failure::new(StatusCode::UNAUTHORIZED, "sign in, or send the secret as 'Authorization: Bearer ..'").into_response(),
    }
}

/// The names by which a dashboard that listens on `address` is known.
pub(super) fn hosts(address: SocketAddr, others: &[String]) -> Vec<String> {
    let port = address.port();
    let mut hosts = others.to_vec();
    if address.ip().to_canonical().is_loopback() {
        hosts.push(address.to_string());
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            hosts.push(format!("{name}:{port}"));
            if port == 80 {
                hosts.push(name.to_owned());
            }
        }
    }
    hosts
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

fn is_known(host: &str, hosts: &[String]) -> bool {
    hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// Whether a browser says that the request came from a page of elsewhere. A program says nothing of the kind.
fn is_foreign(headers: &HeaderMap, hosts: &[String]) -> bool {
    let told = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let from_elsewhere = told("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let other_origin = told("origin").is_some_and(|origin| {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        !host.is_some_and(|host| is_known(host, hosts))
    });
    from_elsewhere || other_origin
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_names_are_known() {
        let hosts = hosts("127.0.0.1:8700".parse().unwrap(), &["agents.example.org".to_owned()]);
        for known in ["127.0.0.1:8700", "LOCALHOST:8700", "[::1]:8700", "Agents.example.org"] {
            assert!(is_known(known, &hosts), "{known}");
        }
        for unknown in ["", "localhost", "127.0.0.1:8701", "evil.example:8700", "localhost:8700.evil.example"] {
            assert!(!is_known(unknown, &hosts), "{unknown}");
        }
        assert!(super::hosts("192.0.2.1:80".parse().unwrap(), &[]).is_empty());
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        for foreign in
            [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site"), ("origin", "http://localhost:1")]
        {
            assert!(is_foreign(&headers(&[foreign]), &hosts), "{foreign:?}");
        }
        assert!(!is_foreign(&headers(&[("origin", "http://localhost:8700"), ("sec-fetch-site", "same-origin")]), &hosts));
        assert!(!is_foreign(&HeaderMap::new(), &hosts));
        let mut two = headers(&[("host", "localhost:8700")]);
        two.append(header::HOST, "evil.example".parse().unwrap());
        assert_eq!(host(&two), None);
    }
}
