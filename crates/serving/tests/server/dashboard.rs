use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::Rig;
use crate::metrics::series;

const DASHBOARD: &str = include_str!("../../dashboards/serving.json");

/// The names of series in a query.
fn names(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'));
    words.filter(|word| ["vllm:", "jarre:", "http_"].iter().any(|start| word.starts_with(start)))
}

#[tokio::test]
async fn every_query_of_the_dashboard_asks_for_what_there_is() {
    let rig = Rig::new();
    rig.post("/v1/completions", &json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 2})).await.ok();
    let page = series(&rig.get("/metrics").await.text);
    let known: BTreeSet<&str> = page.keys().map(|key| key.split('{').next().unwrap()).collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut asked = BTreeSet::new();
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{} shows something", panel["title"]);
        for query in targets.iter().map(|target| target["expr"].as_str().unwrap()) {
            assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
            for name in names(query) {
                assert!(known.contains(name), "{name} of {}", panel["title"]);
                asked.insert(name);
            }
        }
    }
    assert!(asked.len() >= 15, "{asked:?}");
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}
