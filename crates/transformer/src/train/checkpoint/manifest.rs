//! The manifest: what a checkpoint holds, and how to tell that it still does.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Checkpoint;
use crate::error::{Error, Result};

pub(super) const MANIFEST: &str = "manifest.json";
/// A longer manifest is not read. What is large belongs into a file.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// The layout of the files; raised whenever an older version of this crate would misread them.
const FORMAT: u32 = 1;
const MAX_NAME: usize = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    pub(super) step: u64,
    pub(super) best: bool,
    /// In the order of their names.
    pub(super) files: Vec<FileRecord>,
    pub(super) state: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRecord {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

impl Manifest {
    /// Describes `checkpoint` and writes that down.
    pub(super) fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        if let Some(name) = checkpoint.files.keys().find(|name| !is_file_name(name)) {
            let expected =
                format!("of at most {MAX_NAME} of a-z, 0-9, `.`, `-` and `_`, a letter or digit first and last, and not {MANIFEST}");
            return Err(Error::setting("the name of a file of a checkpoint", format!("`{name}`"), expected));
        }
        let manifest = Self::of(checkpoint);
        let body = serde_json::to_string(&manifest).expect("a manifest has only string keys, so it serialises");
        let encoded = format!("{OPENING}{}{MIDDLE}{body}{CLOSING}", blake3::hash(body.as_bytes()).to_hex()).into_bytes();
        match Self::decode(&encoded) {
            Ok(decoded) if decoded == manifest => Ok(encoded),
            _ => Err(Error::setting("the state of a checkpoint", format!("{} bytes of JSON", body.len()), STATE)),
        }
    }

    /// Reads what [`encode`](Self::encode) wrote; else says what is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("{MANIFEST} has more than {MAX_BYTES} bytes"));
        }
        let body = checked_body(bytes).ok_or_else(|| format!("the checksum of {MANIFEST} does not match"))?;
        let broken = |error: serde_json::Error| format!("{MANIFEST} cannot be understood: {error}");
        let Version { format } = serde_json::from_slice(body).map_err(broken)?;
        if format != FORMAT {
            return Err(format!("it has format {format}, and this version reads format {FORMAT}"));
        }
        let manifest: Self = serde_json::from_slice(body).map_err(broken)?;
        manifest.check_names()?;
        Ok(manifest)
    }

    fn of(checkpoint: &Checkpoint) -> Self {
        let Checkpoint { step, state, best, files } = checkpoint;
        let files = files.iter().map(|(name, content)| FileRecord::of(name, content)).collect();
        Self { format: FORMAT, step: *step, best: *best, files, state: state.clone() }
    }

    fn check_names(&self) -> Result<(), String> {
        if let Some(file) = self.files.iter().find(|file| !is_file_name(&file.name)) {
            return Err(format!("{MANIFEST} lists {:?}, which is no name of a file", file.name));
        }
        match self.files.windows(2).find(|pair| pair[0].name >= pair[1].name) {
            Some(pair) => Err(format!("{MANIFEST} lists `{}` twice or out of order", pair[1].name)),
            None => Ok(()),
        }
    }
}

impl FileRecord {
    fn of(name: &str, content: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: content.len() as u64, blake3: blake3::hash(content).to_hex().to_string() }
    }
}

const STATE: &str = "at most 16 MiB and 120 levels deep; put what is large into a file";

/// `{"blake3":"<64 digits>","checkpoint":{...}}`: the hash is over the bytes of the inner object.
const OPENING: &str = "{\"blake3\":\"";
const MIDDLE: &str = "\",\"checkpoint\":";
const CLOSING: &str = "}\n";

/// Read before the rest, whose shape depends on it.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn checked_body(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(OPENING.as_bytes())?;
    let (stated, rest) = rest.split_at_checked(64)?;
    let body = rest.strip_prefix(MIDDLE.as_bytes())?.strip_suffix(CLOSING.as_bytes())?;
    (blake3::hash(body).to_hex().as_bytes() == stated).then_some(body)
}

/// Names that are one plain component, and the same on every file system: no case to fold, no trailing dot to lose.
fn is_file_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(plain) && name.bytes().next_back().is_some_and(plain);
    ends && name.len() <= MAX_NAME && name != MANIFEST && name.bytes().all(|byte| plain(byte) || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn checkpoint(state: Value) -> Checkpoint {
        Checkpoint::new(7, state).with_file("weights.safetensors", vec![1, 2, 3]).with_file("optimizer", Vec::new())
    }

    fn signed(body: &str) -> Vec<u8> {
        format!("{OPENING}{}{MIDDLE}{body}{CLOSING}", blake3::hash(body.as_bytes()).to_hex()).into_bytes()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let manifest = Manifest::decode(&Manifest::encode(&checkpoint(json!({"seed": u64::MAX})).marked_best()).unwrap()).unwrap();
        assert_eq!((manifest.step, manifest.best, &manifest.state), (7, true, &json!({"seed": u64::MAX})));
        let files: Vec<(&str, u64)> = manifest.files.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(files, [("optimizer", 0), ("weights.safetensors", 3)]);
    }

    #[test]
    fn any_flipped_bit_and_any_missing_end_is_noticed() {
        let whole = Manifest::encode(&checkpoint(json!({"lr": 1e-3}))).unwrap();
        for at in 0..whole.len() {
            assert!(Manifest::decode(&whole[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                assert!(Manifest::decode(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_manifest_made_with_ill_will_is_refused_for_what_is_wrong_with_it() {
        let file = |name: &str| json!({"name": name, "bytes": 1, "blake3": "00"});
        let with = |files: Vec<Value>| json!({"format": 1, "step": 7, "best": false, "files": files, "state": null});
        let mut cases: Vec<(String, &str)> =
            ["../x", "/etc/passwd", "a/b", "..", ".", "", "c:x", "manifest.json", "A", "a.", ".a", "a\0b", "a\\b"]
                .map(|name| (with(vec![file(name)]).to_string(), "no name of a file"))
                .into();
        cases.push((with(vec![file("a"), file("a")]).to_string(), "`a` twice"));
        cases.push((with(vec![file("b"), file("a")]).to_string(), "out of order"));
        cases.push((with(vec![json!({"name": "a", "bytes": -1, "blake3": ""})]).to_string(), "cannot be understood"));
        cases.push((with(vec![json!({"name": "a", "bytes": 1e300, "blake3": ""})]).to_string(), "cannot be understood"));
        cases.push((with(Vec::new()).to_string().replace("\"step\":7", "\"step\":7,\"step\":8"), "duplicate field"));
        cases.push((with(Vec::new()).to_string().replace("\"step\":7", "\"step\":7,\"more\":8"), "unknown field"));
        cases.push((with(Vec::new()).to_string().replace("\"format\":1", "\"format\":2"), "format 2"));
        cases.push((format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), "cannot be understood"));
        cases.push((String::new(), "cannot be understood"));
        for (body, reason) in cases {
            let found = Manifest::decode(&signed(&body)).unwrap_err();
            assert!(found.contains(reason), "{found} instead of {reason}");
        }
        assert!(Manifest::decode(&vec![b' '; MAX_BYTES + 1]).unwrap_err().contains("more than 16777216 bytes"));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
        let long = json!("x".repeat(MAX_BYTES));
        for state in [deep, long] {
            assert!(Manifest::encode(&checkpoint(state)).unwrap_err().to_string().starts_with("the state of a checkpoint is "));
        }
        for name in ["", "../weights", "Weights", "manifest.json", &"x".repeat(101)] {
            let named = Checkpoint::new(1, Value::Null).with_file(name, Vec::new());
            assert!(matches!(Manifest::encode(&named), Err(Error::InvalidSetting { .. })), "{name}");
        }
    }

    proptest! {
        #[test]
        fn numbers_of_a_state_come_back_bit_for_bit(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
            let decoded = Manifest::decode(&Manifest::encode(&checkpoint(json!({"loss": number}))).unwrap()).unwrap();
            prop_assert_eq!(decoded.state["loss"].as_f64().map(f64::to_bits), Some(number.to_bits()));
        }
    }
}
