use std::{fs, path::Path};

use jarre_eval::experiment::{Dataset, DatasetSpec};

use crate::model::spec;

fn load(name: &str, bytes: impl AsRef<[u8]>, settings: &str) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let spec: DatasetSpec = spec(&format!("path = {name:?}\n{settings}"));
    Dataset::load(&spec, folder.path()).map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{} | {}", Path::new(&error.to_string()).file_name().unwrap_or_default().to_string_lossy(), source.unwrap_or_default())
    })
}

#[test]
fn jsonl_and_csv_hold_the_same_items() {
    let jsonl = "{\"id\": \"a\", \"q\": \"1 + 1?\", \"answer\": \"2\", \"topic\": \"sums\"}\n\n{\"id\": \"b\", \"q\": \"a, \\\"b\\\"\\nc\", \"answer\": \"x\", \"topic\": \"texts\"}\n";
    let csv = "\u{feff}id,q,answer,topic\r\na,1 + 1?,2,sums\r\nb,\"a, \"\"b\"\"\nc\",x,texts\r\n";
    let settings = "target = \"answer\"\nstratum = \"topic\"\nname = \"n\"";
    let (jsonl, csv) = (load("d.jsonl", jsonl, settings).unwrap(), load("d.csv", csv, settings).unwrap());
    assert_eq!(jsonl, csv);
    assert_eq!(jsonl.reference(), csv.reference());
    let item = &jsonl.items[1];
    assert_eq!(
        (item.id.as_str(), item.target.as_deref(), item.stratum.as_deref(), item.fields["q"].as_str()),
        ("b", Some("x"), Some("texts"), Some("a, \"b\"\nc"))
    );
}

#[test]
fn ids_are_those_of_the_items_or_digests_of_them() {
    let items = load("d.jsonl", "{\"id\": 7, \"q\": \"a\"}\n{\"q\": \"b\"}\n", "").unwrap().items;
    assert_eq!((items[0].id.as_str(), items[1].id.len()), ("7", 16));
    let named = load("d.jsonl", "{\"id\": 7, \"q\": \"a\"}\n", "id = \"q\"").unwrap();
    assert_eq!(named.items[0].id, "a");
}

#[test]
fn targets_can_be_several_and_can_be_found_in_a_text() {
    let items = load("d.jsonl", "{\"a\": [\"x\", 2, true]}\n{\"a\": 3.5}\n", "target = \"a\"").unwrap().items;
    assert_eq!((items[0].target.as_deref(), items[1].target.as_deref()), (Some("[\"x\",\"2\",\"true\"]"), Some("3.5")));
    let gsm = load("d.jsonl", "{\"a\": \"2 + 3 = 5\\n#### 5\"}\n", "target = \"a\"\ntarget_extract = \"last_number\"").unwrap();
    assert_eq!(gsm.items[0].target.as_deref(), Some("5"));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let told = |name: &str, bytes: &[u8], settings: &str| load(name, bytes, settings).unwrap_err();
    assert!(told("d.jsonl", b"{\"a\": 1}\n{\"a\": 2", "").starts_with("d.jsonl | line 2: not JSON"));
    assert!(told("d.jsonl", b"[1]\n", "").ends_with("line 1: each line must be a JSON object, `{\"field\": ..}`"));
    assert!(told("d.jsonl", b"{\"a\": \"\xff\"}\n", "").ends_with("line 1: not UTF-8 text"));
    assert!(told("d.csv", b"a,b\n1,2\n\xff,3\n", "").ends_with("line 3: not UTF-8 text"));
    assert!(told("d.csv", b"a,b\n1,2\n1,2,3\n", "").contains("line 3: 3 values where the header names 2"));
    assert!(told("d.csv", b"a,a\n1,2\n", "").ends_with("line 1: the column `a` stands there twice; rename one"));
    assert!(
        told("d.jsonl", b"{\"id\": \"x\"}\n{\"id\": \"y\"}\n{\"id\": \"x\"}\n", "")
            .ends_with("line 3: the id `x` stands on line 1 already; give each item its own")
    );
    assert!(told("d.jsonl", b"{\"q\": \"x\"}\n{\"q\": \"x\"}\n", "").contains("stands on line 1 already"), "two items that are the same");
    assert!(told("d.jsonl", b"{\"q\": \"x\"}\n", "target = \"a\"").ends_with("line 1: there is no field `a`; there are: q"));
    assert!(told("d.jsonl", b"{\"q\": {}}\n", "target = \"q\"").ends_with("line 1: `q` must be a text or a number, not an object"));
    assert!(told("d.txt", b"a", "").ends_with("items are read from .jsonl, .csv and .parquet files; convert it to one of them"));
    let missing = Dataset::load(&spec("path = \"nowhere.jsonl\""), Path::new(".")).unwrap_err();
    assert_eq!(missing.to_string(), "./nowhere.jsonl");
}

#[test]
fn a_draw_depends_on_the_seed_and_the_ids_alone() {
    let lines: Vec<String> = (0..100).map(|index| format!("{{\"id\": {index}}}")).collect();
    let ids = |lines: &[String], settings: &str| {
        let drawn = load("d.jsonl", lines.join("\n"), settings).unwrap();
        let mut ids: Vec<String> = drawn.items.iter().map(|item| item.id.clone()).collect();
        ids.sort_unstable();
        ids
    };
    let twenty = ids(&lines, "sample = 20\nseed = 1");
    let turned: Vec<String> = lines.iter().rev().cloned().collect();
    assert_eq!(ids(&turned, "sample = 20\nseed = 1"), twenty);
    assert_ne!(ids(&lines, "sample = 20\nseed = 2"), twenty);
    let ten = ids(&lines, "sample = 10\nseed = 1");
    assert!(ten.len() == 10 && ten.iter().all(|id| twenty.contains(id)), "a smaller draw is a part of a larger one");
    assert_eq!(ids(&lines, "sample = 1000").len(), 100);
    let all = load("d.jsonl", lines.join("\n"), "sample = 100\nseed = 3").unwrap();
    assert_eq!(all.reference().seed, None, "nothing was drawn");
}

#[test]
fn lines_of_ten_megabytes_are_items() {
    let text = "x".repeat(10_000_000);
    let items = load("d.jsonl", format!("{{\"id\": \"a\", \"q\": {text:?}}}\n"), "").unwrap().items;
    assert_eq!(items[0].fields["q"].as_str().map(str::len), Some(10_000_000));
}
