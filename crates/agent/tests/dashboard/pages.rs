use std::time::Duration;

use jarre_agent::serve::DashboardConfig;

use crate::sample::{self, START};
use crate::site::{Site, bearer};

#[tokio::test]
async fn runs_are_listed_a_page_at_a_time_the_newest_first() {
    let site = Site::start(DashboardConfig::default().with_page(2)).await;
    assert!(site.get("/", &bearer()).await.body.contains("There are no runs yet."));
    for (place, name) in ["old", "a b/c", "new"].into_iter().enumerate() {
        site.push(name, &sample::run(name, START.saturating_add(Duration::from_secs(place as u64))));
    }
    site.clock.advance(Duration::from_hours(1));
    let links =
        |body: &str| -> Vec<String> { body.split("href=\"/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect() };
    let first = site.get("/", &bearer()).await;
    assert_eq!(links(&first.body), ["runs/new", "runs/a%20b%2Fc", "?after=a%20b%2Fc"]);
    assert!(first.body.contains(">done<") && first.body.contains("59 min 58 s") && first.body.contains(">$0.005034<"));
    let second = site.get("/?after=a%20b%2Fc", &bearer()).await;
    assert_eq!(links(&second.body), ["runs/old", ""]);
    assert!(!site.get("/?after=unknown", &bearer()).await.body.contains("/runs/"));
}

#[tokio::test]
async fn a_run_has_a_page_and_a_file() {
    let site = Site::start(DashboardConfig::default()).await;
    site.push("r1", &sample::run("r1", START));
    let page = site.get("/runs/r1", &bearer()).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("id=\"step-9\"") && page.body.contains("connect-src &#39;self&#39;"));
    assert!(!page.body.contains("EventSource"), "a run that is over is not followed");
    let file = site.get("/runs/r1/export", &bearer()).await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"r1.html\""));
    assert!(file.body.contains("form-action &#39;none&#39;") && !file.body.contains("<script"));
    for (path, status) in
        [("/runs/none", 404), ("/runs/none/export", 404), ("/runs/none/events", 404), ("/elsewhere", 404), ("/runs/", 404)]
    {
        assert_eq!(site.get(path, &bearer()).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn hostile_names_and_texts_stay_text() {
    let site = Site::start(DashboardConfig::default()).await;
    let hostile = "\"><script>alert(1)</script>\u{202e}";
    site.push(hostile, &sample::hostile(hostile));
    let path = "/runs/%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%E2%80%AE";
    for path in ["/", path, "/runs/%3Cscript%3Ealert%281%29"] {
        let body = site.get(path, &bearer()).await.body;
        assert!(!body.contains("<script>alert") && !body.contains('\u{202e}'), "{path}");
    }
    let file = site.get(&format!("{path}/export"), &bearer()).await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"___script_alert_1___script__.html\""));
}
