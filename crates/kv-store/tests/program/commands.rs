use std::{fs, path::Path};

use serde_json::Value;

use crate::process::{Serving, program, run};

fn serving(folder: &Path) -> Serving {
    Serving::start(&["--listen", "127.0.0.1:0", "--file", folder.join("store").to_str().unwrap()])
}

#[test]
fn commands_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let serving = serving(folder.path());
    assert_eq!(serving.says(&["put", "run/1", "started"], ""), "OK\n");
    assert_eq!(serving.says(&["put", "run/2"], "from\0input"), "OK\n");
    assert_eq!(serving.says(&["get", "run/2"], ""), "from\0input\n", "as it is");
    assert_eq!(serving.says(&["scan", "run/"], ""), "run/1\nstarted\nrun/2\nfrom\0input\n");
    assert_eq!(serving.says(&["scan", "--reverse", "--limit", "1", "--keys-only"], ""), "run/2\n");
    let json = serving.json(&["get", "run/1"]);
    assert_eq!((&json["value"], &json["version"]), (&"started".into(), &1.into()));
    assert_eq!(serving.says(&["get", "run/1", "--revision", "2"], ""), "started\n");
    let missing = serving.run(&["get", "none"], "");
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(3), 0));

    let txn = "value(\"run/1\") = \"started\"\nversion(run/3) = \"0\"\n\nput run/1 \"done \\\"well\\\"\"\nget run/ run0\n\nget run/1\n";
    assert_eq!(serving.says(&["txn"], txn), "SUCCESS\nOK\nrun/1\ndone \"well\"\nrun/2\nfrom\0input\n");
    let failed = serving.run(&["txn"], txn);
    assert_eq!((failed.status.code(), &*failed.stdout), (Some(3), &b"FAILURE\nrun/1\ndone \"well\"\n"[..]));
    assert_eq!(serving.run(&["txn"], "colour(\"a\") = \"b\"\n").status.code(), Some(1));

    let lease = serving.says(&["lease", "grant", "60s"], "").trim().to_owned();
    serving.says(&["put", "leased", "x", "--lease", &lease], "");
    assert!(serving.says(&["lease", "show", &lease], "").ends_with("leased\n"));
    assert_eq!(serving.says(&["lease", "keep-alive", &lease, "--once"], ""), format!("{lease} lasts 60s\n"));
    serving.says(&["lease", "revoke", &lease], "");
    assert_eq!(serving.run(&["lease", "show", &lease], "").status.code(), Some(3));
    assert_eq!(serving.says(&["del", "run/", "--prefix"], ""), "2\n");
    serving.says(&["compact", "3"], "");
    assert_eq!(serving.json(&["status"])["compacted"], 3);
    let members = serving.run(&["member", "list"], "");
    assert!(!members.status.success() && String::from_utf8_lossy(&members.stderr).contains("stands alone"), "{members:?}");
    let bench = serving.json(&["bench", "--clients", "3", "--duration", "300ms", "--reads", "50", "--keys", "10"]);
    assert!(bench["requests_per_second"].as_f64().unwrap() > 0.0 && bench["errors"] == 0, "{bench}");
}

#[test]
fn snapshots_are_saved_restored_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let serving = serving(folder.path());
    for number in 0..20 {
        serving.says(&["put", &format!("key/{number}"), "value"], "");
    }
    let saved = serving.json(&["snapshot", "save", &at("copy")]);
    serving.says(&["--file", &at("restored"), "snapshot", "restore", &at("copy")], "");
    for what in ["copy", "restored"] {
        let verified = serving.json(&["verify", &at(what)]);
        assert_eq!((&verified["digest"], &verified["revision"]), (&saved["digest"], &21.into()), "{what}");
    }
    assert_eq!(run(program().args(["--file", &at("restored"), "get", "key/7"]), "").stdout, b"value\n", "without a server");
    let mut bytes = fs::read(at("copy")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(at("copy"), bytes).unwrap();
    assert_eq!(serving.run(&["verify", &at("copy")], "").status.code(), Some(1));
    assert_eq!(serving.run(&["verify", &at("none")], "").status.code(), Some(1));
    assert!(!Path::new(&at("none")).exists(), "looking makes no file");
}

#[test]
fn a_token_is_asked_for_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "secret\n").unwrap();
    let (token, file) = (token.to_str().unwrap(), folder.path().join("store"));
    let serving = Serving::start(&["--listen", "127.0.0.1:0", "--token-file", token, "--file", file.to_str().unwrap()]);
    assert_eq!(serving.run(&["put", "a", "b"], "").status.code(), Some(1));
    assert_eq!(serving.says(&["--token-file", token, "put", "a", "b"], ""), "OK\n");
    let with_env = run(program().env("JARRE_KV_TOKEN", "secret").args(["--endpoints", &serving.url, "get", "a"]), "");
    assert_eq!(with_env.stdout, b"b\n");
    let help = String::from_utf8(run(program().env("JARRE_KV_TOKEN", "secret").arg("--help"), "").stdout).unwrap();
    assert!(!help.contains("secret\""), "the token is not shown");
    let open = run(program().args(["serve", "--listen", "0.0.0.0:0", "--file"]).arg(folder.path().join("other")), "");
    assert!(!open.status.success() && String::from_utf8_lossy(&open.stderr).contains("neither token nor certificates"), "{open:?}");
}

#[test]
fn what_cannot_be_reached_is_said() {
    let nobody = run(program().args(["--endpoints", "http://127.0.0.1:1", "--timeout", "200ms", "--json", "get", "a"]), "");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(!nobody.stderr.is_empty() && serde_json::from_slice::<Value>(&nobody.stdout).is_err());
}
