use jarre_agent::serve::DashboardConfig;
use jarre_agent::{Decision, Event};

use crate::site::{Site, answers, bearer};

fn said(events: &[Event]) -> Vec<(&Decision, &str)> {
    let mut said = Vec::new();
    for event in events {
        if let Event::ApprovalAnswered { decision, by, .. } = event {
            said.push((decision, by.as_str()));
        }
    }
    said
}

#[tokio::test]
async fn a_person_approves_on_the_page() {
    let site = Site::start(DashboardConfig::default().with_approver("ada")).await;
    let (_, token) = site.with_question("r1");
    let cookie = site.sign_in().await;
    let page = site.get("/runs/r1", &cookie).await;
    assert!(page.body.contains("May it call") && page.body.contains(token.as_str()));
    let form = format!("csrf={}&token={}&decision=approve", page.csrf(), token.as_str());
    let reply = site.post("/runs/r1/approvals", &cookie, &form).await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/runs/r1")));
    assert_eq!(said(&answers(&site, "r1").await), [(&Decision::Approved, "ada")]);
    assert!(!site.get("/runs/r1", &cookie).await.body.contains("May it call"), "it is not asked again");
    assert_eq!(site.post("/runs/r1/approvals", &cookie, &form).await.status, 409, "once is enough");
    assert_eq!(answers(&site, "r1").await.len(), 1);
}

#[tokio::test]
async fn a_person_denies_with_a_reason_or_mends_the_arguments() {
    let site = Site::start(DashboardConfig::default()).await;
    let (_, first) = site.with_question("r1");
    let (_, second) = site.with_question("r 2/ä");
    let denied = format!("token={}&decision=deny&reason=not+%3Cthat%3E+file", first.as_str());
    assert_eq!(site.post("/runs/r1/approvals", &bearer(), &denied).await.status, 303);
    assert_eq!(said(&answers(&site, "r1").await), [(&Decision::Denied { reason: "not <that> file".to_owned() }, "dashboard")]);
    let path = "/runs/r%202%2F%C3%A4";
    let edit = |arguments: &str| format!("token={}&decision=edit&arguments={arguments}", second.as_str());
    for wrong in ["", "%5B1%5D", "%7B", "nonsense"] {
        assert_eq!(site.post(&format!("{path}/approvals"), &bearer(), &edit(wrong)).await.status, 422, "{wrong}");
    }
    let reply = site.post(&format!("{path}/approvals"), &bearer(), &edit("%7B%22path%22%3A%22b%22%7D")).await;
    assert_eq!((reply.status, reply.header("location")), (303, Some(path)));
    assert_eq!(said(&answers(&site, "r 2/ä").await), [(&Decision::Edited { arguments: r#"{"path":"b"}"#.to_owned() }, "dashboard")]);
}

#[tokio::test]
async fn a_form_of_another_page_answers_nothing() {
    let site = Site::start(DashboardConfig::default()).await;
    let (_, token) = site.with_question("r1");
    let cookie = site.sign_in().await;
    let csrf = site.get("/runs/r1", &cookie).await.csrf();
    let fields = format!("token={}&decision=approve", token.as_str());
    let whole = format!("csrf={csrf}&{fields}");
    assert_eq!(site.post("/runs/r1/approvals", &cookie, &fields).await.status, 403, "no token of a page");
    assert_eq!(site.post("/runs/r1/approvals", &cookie, &format!("csrf=guessed&{fields}")).await.status, 403);
    assert_eq!(site.post("/runs/r1/approvals", "", &whole).await.status, 401, "nobody signed in");
    for foreign in
        ["Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"]
    {
        assert_eq!(site.post("/runs/r1/approvals", &format!("{cookie}{foreign}"), &whole).await.status, 403, "{foreign}");
    }
    site.clock.advance(std::time::Duration::from_secs(1));
    let other = site.sign_in().await;
    assert_eq!(site.post("/runs/r1/approvals", &other, &whole).await.status, 403, "of another session");
    assert_eq!(site.get(&format!("/runs/r1/approvals?{whole}"), &cookie).await.status, 405, "a link cannot answer");
    assert!(answers(&site, "r1").await.is_empty());
    let own = format!("{cookie}Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", site.address);
    assert_eq!(site.post("/runs/r1/approvals", &own, &whole).await.status, 303);
}

#[tokio::test]
async fn what_is_too_long_or_no_form_is_refused() {
    let site = Site::start(DashboardConfig::default().with_max_body_bytes(1000)).await;
    let (_, token) = site.with_question("r1");
    let long = format!("token={}&decision=deny&reason={}", token.as_str(), "x".repeat(2000));
    assert_eq!(site.post("/runs/r1/approvals", &bearer(), &long).await.status, 413);
    for wrong in ["token=x", "decision=approve", "token=x&decision=maybe", "%ff%fe"] {
        let reply = site.post("/runs/r1/approvals", &bearer(), wrong).await;
        assert!((400..=422).contains(&reply.status), "{wrong}: {}", reply.status);
    }
    assert_eq!(site.post("/runs/r1/approvals", &bearer(), "token=guessed&decision=approve").await.status, 409);
    assert_eq!(site.post("/runs/none/approvals", &bearer(), "token=guessed&decision=approve").await.status, 409);
    assert!(answers(&site, "r1").await.is_empty());
}
