//! The exit codes of the help text, apart from those of an interrupt and of a refusal.

use std::{collections::BTreeSet, fs};

use crate::program::{ANSWERED, Place, UNANSWERED, program, run};

#[test]
fn the_help_names_every_exit_code() {
    let ended = run(program().arg("--help"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (_, codes) = ended.stdout.split_once("Exit codes:").expect("the help lists them");
    let named: BTreeSet<i32> = codes.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert_eq!(named, BTreeSet::from([0, 1, 2, 3, 4, 130]));
}

#[test]
fn a_wrong_command_line_is_2() {
    for (args, named) in [(["--jsno", "x"], "--jsno"), (["--k", "0"], "--k"), (["--chunker", "words"], "structure")] {
        let ended = run(program().args(args));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(named) && ended.stdout.is_empty(), "{ended:?}");
    }
}

#[test]
fn a_missing_folder_is_1_and_named() {
    let place = Place::new();
    let missing = place.docs().join("no-such-folder");
    let ended = run(program().arg("--docs").arg(&missing).args(["--ask", ANSWERED]));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(missing.to_str().unwrap()) && ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_missing_file_of_questions_is_1_and_named() {
    let place = Place::new();
    let missing = place.docs().join("no-such-questions.txt");
    let ended = place.run(["--ask-file".as_ref(), missing.as_os_str()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(missing.to_str().unwrap()), "{ended:?}");
}

#[test]
fn questions_of_a_file_count_like_those_of_the_command_line() {
    let place = Place::new();
    let questions = place.docs().join("questions.list");
    fs::write(&questions, format!("{ANSWERED}\n\n  {UNANSWERED}  \n")).unwrap();
    let ended = place.run(["--json".as_ref(), "--ask-file".as_ref(), questions.as_os_str()]);
    assert_eq!((ended.code, ended.objects().len()), (Some(3), 2), "{ended:?}");
}

#[test]
fn an_index_of_other_settings_is_kept_until_it_is_to_be_rebuilt() {
    let place = Place::new();
    assert_eq!(place.run(["--ask", ANSWERED]).code, Some(0));
    let other = ["--chunker", "fixed", "--ask", ANSWERED];
    let ended = place.run(other);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("--rebuild") && ended.stderr.contains("chunker"), "{ended:?}");
    assert_eq!(place.run(["--ask", ANSWERED]).code, Some(0), "the index is as it was");
    assert_eq!(place.run(other.into_iter().chain(["--rebuild"])).code, Some(0));
}
