use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::name::is_digest;

/// A file that a revision has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Parts of its path, each of them plain.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// What it is called among the cache's blobs: the SHA-256 of what it holds where the hub keeps it as a large file, else git's name for it.
    pub(super) blob: String,
    pub(super) is_large: bool,
}

/// A revision as the hub tells it.
#[derive(Deserialize)]
struct Revision {
    sha: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    oid: String,
    #[serde(default)]
    size: u64,
    path: String,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    oid: String,
    size: u64,
}

/// The commit that a revision stands for.
pub(super) fn commit(json: &[u8]) -> Result<String> {
    let Revision { sha } = serde_json::from_slice(json).context("the hub's answer cannot be read")?;
    ensure!(is_digest(&sha, 40), "the hub names no commit");
    Ok(sha)
}

/// The files of a page of a listing.
///
/// # Errors
/// Where it cannot be read, or a path or a digest could lead out of the cache: then nothing of it is trusted.
pub(super) fn files(json: &[u8]) -> Result<Vec<File>> {
    let entries: Vec<Entry> = serde_json::from_slice(json).context("the hub's list of files cannot be read")?;
    entries.into_iter().filter(|entry| entry.kind == "file").map(file).collect()
}

fn file(entry: Entry) -> Result<File> {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', ':']);
    if !entry.path.split('/').all(is_part) || entry.path.chars().any(char::is_control) {
        bail!("the hub lists a file at {:?}, which leads out of the model's folder", entry.path);
    }
    let is_large = entry.lfs.is_some();
    let (blob, bytes) = entry.lfs.map_or((entry.oid, entry.size), |large| (large.oid, large.size));
    ensure!(is_digest(&blob, if is_large { 64 } else { 40 }), "the hub gives no digest for {}", entry.path);
    Ok(File { path: entry.path, bytes, blob, is_large })
}

/// Whether a model is loaded from this file: other formats of the same weights are not fetched.
pub(super) fn is_wanted(path: &str) -> bool {
    const EXACT: [&str; 5] = ["config.json", "tokenizer.json", "modules.json", "config_sentence_transformers.json", "chat_template.jinja"];
    match path.split_once('/') {
        None => EXACT.contains(&path) || path.ends_with("_config.json") || is_weights(path) || path == "model.safetensors.index.json",
        Some((folder, file)) => match folder {
            "additional_chat_templates" => !file.contains('/') && has_extension(file, "jinja"),
            _ => folder.ends_with("_Pooling") && file == "config.json",
        },
    }
}

/// Whether a file of the first level holds weights.
pub(super) fn is_weights(path: &str) -> bool {
    path.starts_with("model") && has_extension(path, "safetensors") && !path.contains('/')
}

fn has_extension(path: &str, wanted: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|extension| extension == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(path: &str, oid: &str) -> Result<Vec<File>> {
        files(json!([{"type": "file", "oid": oid, "size": 3, "path": path}]).to_string().as_bytes())
    }

    #[test]
    fn what_leads_out_of_the_cache_is_refused() {
        let oid = "a".repeat(40);
        assert_eq!(listed("config.json", &oid).unwrap()[0].blob, oid);
        for path in ["../config.json", "/etc/passwd", "a//b", "a/../../b", "", ".", "a\\..\\b", "c:\\x", "a\0b", "a/./b", "line\nbreak"] {
            assert!(listed(path, &oid).is_err(), "{path}");
        }
        for oid in ["", "../../x", &"g".repeat(40), &"A".repeat(40), &"a".repeat(64)] {
            assert!(listed("config.json", oid).is_err(), "{oid}");
        }
        let large =
            json!([{"type": "file", "oid": oid, "size": 9, "path": "model.safetensors", "lfs": {"oid": "b".repeat(64), "size": 7}}]);
        let file = files(large.to_string().as_bytes()).unwrap().remove(0);
        assert_eq!((file.bytes, file.blob.len(), file.is_large), (7, 64, true));
        for hostile in [&b"[{}]"[..], b"{", b"null", br#"{"sha": "../x"}"#] {
            assert!(files(hostile).is_err() && commit(hostile).is_err());
        }
    }

    #[test]
    fn only_what_is_loaded_is_wanted() {
        for wanted in [
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "model.safetensors",
            "model-00001-of-00002.safetensors",
            "model.safetensors.index.json",
            "1_Pooling/config.json",
            "additional_chat_templates/a.jinja",
        ] {
            assert!(is_wanted(wanted), "{wanted}");
        }
        for other in [
            "README.md",
            "pytorch_model.bin",
            "onnx/model.onnx",
            "original/model.safetensors",
            "model.gguf",
            "onnx/config.json",
            "additional_chat_templates/x/a.jinja",
            "flax_model.msgpack",
        ] {
            assert!(!is_wanted(other), "{other}");
        }
    }
}
