use std::sync::Arc;
use std::time::Duration;

use jarre_agent::serve::{Dashboard, DashboardConfig, MemoryRuns, Secret};
use jarre_core::testing::ManualClock;

use crate::client::raw;
use crate::site::{SECRET, Site, bearer};

#[tokio::test]
async fn nothing_is_shown_before_the_secret_is() {
    let site = Site::start(DashboardConfig::default()).await;
    site.with_question("r1");
    for path in ["/", "/runs/r1", "/runs/r1/events", "/runs/r1/export", "/elsewhere"] {
        let reply = site.get(path, "").await;
        assert_eq!(reply.status, 401, "{path}");
        assert!(!reply.body.contains("calendar"));
        let page = site.get(path, "Accept: text/html\r\n").await;
        assert_eq!((page.status, page.header("location")), (303, Some("/sign-in")), "{path}");
    }
    assert_eq!(site.get("/health", "").await.body, "ok");
    assert_eq!(site.get("/", &bearer()).await.status, 200);
    assert_eq!(site.get("/", "Authorization: Bearer wrong\r\n").await.status, 401);
    let cookie = site.sign_in().await;
    assert_eq!(site.get("/", &cookie).await.status, 200);
    assert_eq!(site.get("/", &cookie.replace('.', ".0")).await.status, 401);
}

#[tokio::test]
async fn a_wrong_secret_opens_nothing_and_stands_nowhere() {
    let site = Site::start(DashboardConfig::default()).await;
    let reply = site.post("/sign-in", "", "secret=another-secret-that-is-wrong").await;
    assert_eq!((reply.status, reply.header("set-cookie")), (403, None));
    assert!(!reply.body.contains("another-secret") && !reply.body.contains(SECRET));
    assert!(!site.get("/sign-in", "").await.body.contains(SECRET));
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_when_one_signs_out() {
    let site = Site::start(DashboardConfig::default()).await;
    let cookie = site.sign_in().await;
    let list = site.get("/", &cookie).await;
    assert_eq!(site.post("/sign-out", &cookie, "csrf=wrong").await.status, 403);
    let out = site.post("/sign-out", &cookie, &format!("csrf={}", list.csrf())).await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    site.clock.advance(Duration::from_hours(12));
    assert_eq!(site.get("/", &cookie).await.status, 401);
}

#[tokio::test]
async fn only_its_own_names_are_answered() {
    let site = Site::start(DashboardConfig::default().with_host("agents.example.org")).await;
    let port = site.address.port();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}"), "agents.example.org".to_owned()] {
        assert_eq!(site.get("/", &format!("Host: {host}\r\n{}", bearer())).await.status, 200, "{host}");
    }
    for host in ["evil.example", "localhost", &format!("evil.example:{port}"), ""] {
        let reply = site.get("/", &format!("Host: {host}\r\n{}", bearer())).await;
        assert_eq!(reply.status, 421, "{host}");
    }
    let two = format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nHost: evil.example\r\n{}Connection: close\r\n\r\n", bearer());
    assert!(raw(site.address, &two).await.status >= 400);
}

#[tokio::test]
async fn it_listens_to_others_only_where_it_is_told_by_which_name() {
    let dashboard = |config: DashboardConfig| {
        Dashboard::new(Arc::new(MemoryRuns::new()), Secret::random().unwrap(), Arc::new(ManualClock::default()), config)
    };
    let open = DashboardConfig::default().with_address("0.0.0.0:0".parse().unwrap());
    let refused = dashboard(open.clone()).bind().await.unwrap_err().to_string();
    assert!(refused.contains("0.0.0.0:0 is open to other machines"), "{refused}");
    let other = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(dashboard(open).serve(other, std::future::pending()).await.is_err(), "nor over a listener of somebody else");
}

#[tokio::test]
async fn no_page_can_frame_it_and_no_cache_keeps_it() {
    let site = Site::start(DashboardConfig::default()).await;
    site.with_question("r1");
    for path in ["/", "/runs/r1", "/sign-in", "/runs/none"] {
        let reply = site.get(path, &bearer()).await;
        let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("content-security-policy"), "frame-ancestors 'none'", "{path}");
        assert_eq!((header("cache-control").as_str(), header("x-content-type-options").as_str()), ("no-store", "nosniff"));
        assert!(reply.body.contains("default-src &#39;none&#39;; script-src &#39;") && !reply.body.contains("unsafe-inline"), "{path}");
    }
}
