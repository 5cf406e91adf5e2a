use std::time::Duration;

use jarre_core::Timestamp;
use jarre_eval::{
    Error,
    track::{CalibrationState, Template},
};
use serde_json::json;

use crate::support::tracker;

#[test]
fn versions_grow_only_where_the_text_is_another() {
    let (tracker, clock) = tracker();
    let first = tracker.register_prompt("solve", "{{q}}\n", "first", "ann").unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(tracker.register_prompt("solve", "{{q}}\n", "again", "ben").unwrap(), first);
    let second = tracker.register_prompt("solve", "{{q}}\nSteps: {{n}}\n", "steps", "ben").unwrap();
    let third = tracker.register_prompt("solve", "{{q}}\n", "back", "ann").unwrap();
    assert_eq!([first.version, second.version, third.version], [1, 2, 3], "an old text that comes back is a new version");
    assert_eq!((first.digest.clone(), first.reference().version), (third.digest.clone(), 1));
    assert_eq!(first.digest, blake3::hash(b"{{q}}\n").to_hex().as_str());
    assert_eq!((second.template.variables(), second.message.as_str(), second.author.as_str()), (vec!["q", "n"], "steps", "ben"));
    assert_eq!(second.created, Timestamp::from_unix_micros(1_700_000_001_000_000));
    assert_eq!(tracker.latest_prompt("solve").unwrap(), third);
    assert_eq!(tracker.prompt_versions("solve").unwrap(), [first, second, third]);
    assert_eq!(tracker.prompts().unwrap(), ["solve"]);
    for missing in [tracker.prompt("solve", 4), tracker.prompt("none", 1), tracker.latest_prompt("none"), tracker.prompt("solve", 0)] {
        assert!(matches!(missing, Err(Error::NotFound { .. })));
    }
    assert!(matches!(tracker.register_prompt("", "a", "", ""), Err(Error::Refused(_))));
}

#[test]
fn aliases_move() {
    let (tracker, _) = tracker();
    for text in ["a", "b"] {
        tracker.register_prompt("p", text, "", "").unwrap();
    }
    tracker.set_prompt_alias("p", "production", 1).unwrap();
    tracker.set_prompt_alias("p", "best", 1).unwrap();
    assert_eq!(tracker.prompt("p", 1).unwrap().aliases, ["best", "production"]);
    tracker.set_prompt_alias("p", "production", 2).unwrap();
    assert_eq!(tracker.prompt_by_alias("p", "production").unwrap().template, Template::new("b"));
    assert_eq!(tracker.prompt("p", 1).unwrap().aliases, ["best"]);
    assert!(tracker.remove_prompt_alias("p", "best").unwrap() && !tracker.remove_prompt_alias("p", "best").unwrap());
    assert!(matches!(tracker.prompt_by_alias("p", "best"), Err(Error::NotFound { what: "alias", .. })));
    assert!(matches!(tracker.set_prompt_alias("p", "production", 3), Err(Error::NotFound { .. })));
    assert!(matches!(tracker.set_prompt_alias("p", "12", 1), Err(Error::Refused(_))));
}

#[test]
fn a_difference_is_shown_by_lines() {
    let (tracker, _) = tracker();
    let before = tracker.register_prompt("p", "one\ntwo\nthree\n", "", "").unwrap();
    let after = tracker.register_prompt("p", "one\n2\nthree\nfour", "", "").unwrap();
    let expected = "--- p version 1\n+++ p version 2\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n\\ No newline at end of file\n";
    assert_eq!(after.diff_from(&before), expected);
    assert_eq!(after.diff_from(&after), "");
}

#[test]
fn a_calibration_of_another_version_is_stale() {
    let (tracker, clock) = tracker();
    assert_eq!(tracker.calibration("judge", "v1").unwrap(), CalibrationState::Missing);
    tracker.save_calibration("judge", "v1", "labels", &json!({"kappa": 0.7})).unwrap();
    clock.advance(Duration::from_secs(1));
    tracker.save_calibration("judge", "v2", "labels", &json!({"kappa": 0.2})).unwrap();
    tracker.save_calibration("judge", "v2", "more labels", &json!({"kappa": 0.8})).unwrap();
    tracker.save_calibration("other", "v9", "labels", &json!(null)).unwrap();
    match tracker.calibration("judge", "v1").unwrap() {
        CalibrationState::Fresh(found) => assert_eq!((found.figures, found.version.as_str()), (json!({"kappa": 0.7}), "v1")),
        other => panic!("{other:?}"),
    }
    match tracker.calibration("judge", "v3").unwrap() {
        CalibrationState::Stale(found) => {
            assert_eq!((found.version.as_str(), found.labels_digest.as_str(), found.figures), ("v2", "more labels", json!({"kappa": 0.8})));
        }
        other => panic!("{other:?}"),
    }
}
