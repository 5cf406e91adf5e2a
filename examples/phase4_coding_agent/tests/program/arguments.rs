//! Arguments that are wrong: what is said, and that nothing is written.

use crate::{
    approvals::place_with_a_question,
    program::{Place, end, has_sandbox, program},
};

#[test]
fn the_help_names_every_exit_code_and_command() {
    let ended = end(program().arg("--help"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Lines are as wide as a terminal.
    let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let codes = "The exit code is 0 where all went well, 1 where something did not, and 2 where the command itself failed.";
    assert!(told.ends_with(codes), "{told}");
    for command in ["run", "approve", "runs", "replay", "export", "serve", "exec", "bench", "verify"] {
        assert_eq!(end(program().args([command, "--help"])).code, Some(0), "{command}");
    }
    end(&mut program()).refused(2, "Usage:");
}

#[test]
fn wrong_arguments_of_a_new_run_are_named_and_nothing_is_written() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let wrong = place.write("wrong.json", r#"{"rules": [{"verdict": "perhaps"}]}"#);
    place.write("a-file", "");
    let before = place.names();
    let model = |url: &'static str| ["--url", url, "--model-name", "m"];
    let named = model("http://127.0.0.1:9/v1");
    for (args, says) in [
        (vec!["--task", "mend it"], "--repo DIR"),
        (vec!["--repo", "."], "--task"),
        (vec!["--task", "mend it", "--repo", "."], "--model-name"),
        (vec!["--name", "../elsewhere"], "a run cannot be named \"../elsewhere\""),
        (vec!["--policy", "no-policy.json"], "cannot read no-policy.json"),
        (vec!["--policy", &wrong], "wrong.json is no policy"),
        (vec!["--approve", "perhaps"], "[possible values: ask, auto, deny]"),
        (vec!["--wall", "soon"], "--wall"),
        (vec!["--readable", "/no/such/file"], "/no/such/file"),
        (vec!["--allow-missing", "armour"], "there are: unprivileged"),
        (vec!["--url", "http://127.0.0.1:9/v1"], "--model-name"),
        (model("ftp://127.0.0.1/v1").to_vec(), "http or https"),
        ([&named[..], &["--key-env", "JARRE_NO_SUCH_KEY"]].concat(), "JARRE_NO_SUCH_KEY"),
        ([&named[..], &["--task", "mend it", "--repo", "no-folder"]].concat(), "no-folder"),
        ([&named[..], &["--task", "mend it", "--repo", "a-file"]].concat(), "a-file is no folder"),
        (vec!["--resume", "demo", "--name", "other"], "--name"),
        (vec!["--resume", "demo"], "there is no store"),
    ] {
        place.run([&["run"], &args[..]].concat()).refused(2, says);
        assert_eq!(place.names(), before, "{args:?}");
    }
}

#[test]
fn where_there_is_no_store_none_is_made_to_look_into() {
    let place = Place::new();
    for args in [&["runs"][..], &["approve", "demo"], &["replay", "demo"], &["export", "demo"], &["serve"]] {
        place.run(args).refused(2, "there is no store");
    }
    for (args, says) in [
        (&["replay"][..], "<RUN>"),
        (&["replay", "demo", "--until", "3"], "--to"),
        (&["replay", "demo", "--until", "3", "--to", "a b"], "a run cannot be named"),
        (&["replay", "--file", "no.log"], "cannot open no.log"),
        (&["export", "--file", "no.log"], "cannot open no.log"),
        (&["export", "demo", "--as", "pdf"], "[possible values: html, jsonl, otlp, text]"),
        (&["approve", "demo", "3f2a"], "<ANSWER>"),
    ] {
        place.run(args).refused(2, says);
    }
    assert!(place.names().is_empty(), "{:?}", place.names());
}

#[test]
fn a_run_that_is_not_there_is_named_and_one_that_is_there_is_kept() {
    let Some(place) = place_with_a_question() else { return };
    for args in [&["approve", "none"][..], &["replay", "none"], &["export", "none"], &["run", "--resume", "none"]] {
        place.run(args).refused(2, "there is no run `none`");
    }
    place.run(["run", "--name", "careful"]).refused(2, "there is a run `careful` already: `run --resume careful` goes on");
    let out = place.path("no/such/folder/page.html");
    place.run(["export", "careful", "--out", out.to_str().unwrap()]).refused(2, "page.html");
    assert_eq!(place.succeed(["runs", "--json"]).objects().len(), 1);
}
