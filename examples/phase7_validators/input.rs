//! Texts from arguments, files and standard input.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The longest input that is read at once, and the longest line.
const LONGEST: u64 = 256 << 20;

/// The bytes of `path`, of standard input where it is `-` or not given.
pub(crate) fn bytes(path: Option<&Path>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader(path)?.take(LONGEST + 1).read_to_end(&mut bytes).context("the input cannot be read")?;
    if bytes.len() as u64 > LONGEST {
        bail!("the input is longer than {} MiB: pass it in parts, one a line, with --jsonl", LONGEST >> 20);
    }
    Ok(bytes)
}

/// The text of `path`, of standard input where it is `-` or not given.
pub(crate) fn text(path: Option<&Path>) -> Result<String> {
    String::from_utf8(bytes(path)?)
        .map_err(|error| anyhow::anyhow!("the input is not UTF-8: byte {} is none of it", error.utf8_error().valid_up_to()))
}

/// Gives `each` every line of `path` that is not empty, with its number from 1; stops where it answers with an error.
pub(crate) fn lines(path: Option<&Path>, mut each: impl FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
    let mut reader = reader(path)?;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = (&mut reader).take(LONGEST + 1).read_until(b'\n', &mut line).with_context(|| format!("line {number} cannot be read"))?;
        if read == 0 {
            break;
        }
        if read as u64 > LONGEST {
            bail!("line {number} is longer than {} MiB", LONGEST >> 20);
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            each(number, text).with_context(|| format!("line {number}"))?;
        }
    }
    Ok(())
}

/// The text of a line of JSONL: a string, or the field `field` of an object.
pub(crate) fn text_of(line: &[u8], field: &str) -> Result<String> {
    match serde_json::from_slice(line).context("it is not JSON")? {
        Value::String(text) => Ok(text),
        Value::Object(mut object) => match object.remove(field) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => bail!("its field `{field}` is not a string"),
            None => bail!("it has no field `{field}`; name the one with the text by --field, there are: {}", names(&object)),
        },
        _ => bail!("it is neither a string nor an object"),
    }
}

fn names(object: &serde_json::Map<String, Value>) -> String {
    object.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn reader(path: Option<&Path>) -> Result<Box<dyn BufRead>> {
    match path {
        Some(path) if path != Path::new("-") => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            Ok(Box::new(BufReader::new(file)))
        }
        _ => Ok(Box::new(std::io::stdin().lock())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_string_or_has_the_field() {
        assert_eq!(text_of(br#""a""#, "text").unwrap(), "a");
        assert_eq!(text_of(br#"{"prompt": "a", "text": 1}"#, "prompt").unwrap(), "a");
        for (line, said) in
            [("[]", "neither"), (r#"{"text": 1}"#, "not a string"), (r#"{"prompt": ""}"#, "there are: prompt"), ("{", "not JSON")]
        {
            let error = format!("{:#}", text_of(line.as_bytes(), "text").unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn lines_are_numbered_and_empty_ones_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, "a\r\n\n  b").unwrap();
        let mut seen = Vec::new();
        lines(Some(&path), |number, line| {
            seen.push((number, line.to_vec()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(1, b"a".to_vec()), (3, b"b".to_vec())]);
    }
}
