//! Manifests made with ill will, their checksums right.

use std::{
    fs::{self, File},
    path::Path,
};

use jarre_transformer::train::CheckpointStore;
use serde_json::{Value, json};

use crate::fixture::{step_of, three_saved};

fn put_manifest(dir: &Path, body: &str) {
    let signed = format!("{{\"blake3\":\"{}\",\"checkpoint\":{body}}}\n", blake3::hash(body.as_bytes()).to_hex());
    fs::write(dir.join("step-30/manifest.json"), signed).unwrap();
}

fn manifest(files: &Value) -> Value {
    json!({"format": 1, "step": 30, "best": false, "files": files, "state": null})
}

fn file(name: &str, content: &[u8]) -> Value {
    json!({"name": name, "bytes": content.len(), "blake3": blake3::hash(content).to_hex().as_str()})
}

fn assert_refused(dir: &Path, body: &str, reason: &str) {
    put_manifest(dir, body);
    let found = CheckpointStore::latest_in(dir).unwrap();
    assert_eq!(step_of(&found), Some(20), "{reason}");
    assert!(found.skipped[0].reason.contains(reason), "{} instead of {reason}", found.skipped[0]);
}

#[test]
fn the_manifests_below_are_refused_for_what_is_wrong_with_them_alone() {
    let dir = three_saved();
    let weights = fs::read(dir.path().join("step-30/weights.safetensors")).unwrap();
    put_manifest(dir.path(), &manifest(&json!([file("weights.safetensors", &weights)])).to_string());
    let checkpoint = CheckpointStore::latest_in(dir.path()).unwrap().checkpoint.unwrap();
    assert_eq!((checkpoint.step(), checkpoint.read("weights.safetensors").unwrap()), (30, weights));
}

#[test]
fn names_that_leave_the_folder_are_refused_though_the_file_is_there() {
    let dir = three_saved();
    let secret = b"a file of someone else";
    fs::write(dir.path().join("secret"), secret).unwrap();
    let absolute = dir.path().join("secret");
    for name in ["../secret", "./../secret", absolute.to_str().unwrap(), "..\\secret", "../step-20/empty", "", ".", "..", "manifest.json"] {
        assert_refused(dir.path(), &manifest(&json!([file(name, secret)])).to_string(), "no name of a file");
    }
    let twice = json!([file("empty", b""), file("empty", b"")]);
    assert_refused(dir.path(), &manifest(&twice).to_string(), "`empty` twice");
}

#[test]
fn lengths_are_compared_before_anything_is_read_or_reserved() {
    let dir = three_saved();
    let with = |bytes: Value| manifest(&json!([{"name": "weights.safetensors", "bytes": bytes, "blake3": "00"}])).to_string();
    assert_refused(dir.path(), &with(json!(u64::MAX)), "it has 100 bytes where 18446744073709551615 were saved");
    assert_refused(dir.path(), &with(json!(1_u64 << 60)), "it has 100 bytes where");
    for bytes in [json!(-1), json!(1.5), json!(1e300), json!("100"), json!(null)] {
        assert_refused(dir.path(), &with(bytes), "cannot be understood");
    }
    assert_refused(dir.path(), &with(json!(100)), "its content is not what was saved");
}

#[test]
fn a_manifest_of_another_step_or_format_or_shape_is_refused() {
    let dir = three_saved();
    let whole = manifest(&json!([]));
    let changed = |key: &str, value: Value| {
        let mut changed = whole.clone();
        changed[key] = value;
        changed.to_string()
    };
    assert_refused(dir.path(), &changed("step", json!(31)), "its manifest is that of step 31");
    assert_refused(dir.path(), &changed("format", json!(2)), "it has format 2, and this version reads format 1");
    assert_refused(dir.path(), &changed("surprise", json!(1)), "unknown field `surprise`");
    assert_refused(dir.path(), &changed("files", json!({})), "cannot be understood");
    for body in ["", "null", "[]", "{}", "\"manifest\"", "{\"format\":1}", "{\"format\":1,\"format\":1}"] {
        assert_refused(dir.path(), body, "cannot be understood");
    }
    assert_refused(dir.path(), &format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)), "cannot be understood");
    assert_refused(
        dir.path(),
        &format!("{{\"format\":1,\"step\":30,\"best\":false,\"files\":[],\"state\":{}1{}}}", "[".repeat(500), "]".repeat(500)),
        "recursion",
    );
}

#[test]
fn a_manifest_of_a_hundred_megabytes_is_not_read() {
    let dir = three_saved();
    File::create(dir.path().join("step-30/manifest.json")).unwrap().set_len(100 << 20).unwrap();
    let found = CheckpointStore::latest_in(dir.path()).unwrap();
    assert_eq!(step_of(&found), Some(20));
    assert!(found.skipped[0].reason.contains("more than 16777216 bytes"), "{}", found.skipped[0]);
}
