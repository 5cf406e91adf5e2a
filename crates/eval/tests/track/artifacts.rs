use std::sync::Arc;

use jarre_core::SystemClock;
use jarre_eval::{
    Error,
    track::{Tracker, TrackerOptions},
};

use crate::support::new_run;

#[test]
fn artifacts_are_kept_inside_or_as_files_and_held_to_their_digests() {
    let folder = tempfile::tempdir().unwrap();
    let options = TrackerOptions::default().with_artifact_limit(4);
    let tracker = Tracker::open_with(folder.path().join("runs.db"), Arc::new(SystemClock::new()), options).unwrap();
    let run = new_run(&tracker);
    let inside = tracker.add_artifact(&run, "b", "text/plain", b"a\0\xff").unwrap();
    let path = folder.path().join("model.bin");
    std::fs::write(&path, vec![7; 100_000]).unwrap();
    let file = tracker.add_artifact_file(&run, "a", "application/octet-stream", &path).unwrap();
    assert_eq!((file.size, file.digest.as_str()), (100_000, blake3::hash(&vec![7; 100_000]).to_hex().as_str()));
    assert_eq!(tracker.artifacts(&run).unwrap(), [file, inside]);
    assert_eq!(tracker.artifact_bytes(&run, "b").unwrap(), b"a\0\xff");
    assert_eq!(tracker.artifact_bytes(&run, "a").unwrap(), vec![7; 100_000]);

    std::fs::write(&path, b"changed").unwrap();
    assert!(matches!(tracker.artifact_bytes(&run, "a"), Err(Error::Refused(_))));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(tracker.artifact_bytes(&run, "a"), Err(Error::Io(_))));
    assert!(matches!(tracker.artifact_bytes(&run, "c"), Err(Error::NotFound { what: "artifact", .. })));
    let refused = tracker.add_artifact(&run, "c", "text/plain", b"12345").unwrap_err().to_string();
    assert!(refused.contains("5 bytes"), "{refused}");
    assert!(matches!(tracker.add_artifact(&run, "", "text/plain", b""), Err(Error::Refused(_))));
    tracker.add_artifact(&run, "b", "text/plain", b"").unwrap();
    assert_eq!(tracker.artifact_bytes(&run, "b").unwrap(), b"", "a later one of the name replaces it");
}
