use super::*;
use crate::mode::Mode;

fn prompt(mode: Mode) -> Prompt {
    Prompt::new(mode.deploy(3, 1).unwrap())
}

fn says(prompt: &mut Prompt, line: &str) -> String {
    prompt.carry_out(line).unwrap()
}

#[test]
fn what_is_written_can_be_read_until_the_network_is_cut() {
    let mut prompt = prompt(Mode::AsyncTerm);
    assert!(says(&mut prompt, "status").ends_with("A believes to lead in term 1"));
    assert!(says(&mut prompt, "put A x").starts_with("1.1: written"));
    assert!(says(&mut prompt, "get A x").starts_with("1.1 ("));
    assert!(says(&mut prompt, "put b x").contains("refused: not leader; ask A"));
    says(&mut prompt, "wait 100");
    assert!(says(&mut prompt, "get C x stale").contains("old at most"));
    says(&mut prompt, "cut A|BC");
    let after = says(&mut prompt, "wait 1000");
    assert!(after.contains("in term") && !after.contains("A believes"), "{after}");
    assert!(says(&mut prompt, "get A x").contains("refused: no leader"));
    assert!(says(&mut prompt, "get A x stale:50").contains("refused: too old"));
}

#[test]
fn two_primaries_show_themselves() {
    let mut prompt = prompt(Mode::Naive);
    says(&mut prompt, "cut A,B|C");
    assert!(says(&mut prompt, "wait 1000").contains("A believes to lead, C believes to lead"));
    says(&mut prompt, "heal");
    assert!(says(&mut prompt, "wait 1000").ends_with("ms: A believes to lead"));
    says(&mut prompt, "kill A");
    assert!(says(&mut prompt, "get A x").contains("refused: down"));
}

#[test]
fn what_is_no_command_is_explained() {
    let mut prompt = prompt(Mode::Naive);
    for line in ["put Q x", "put A w", "get A x never", "get A x stale:x", "cut A|Z", "wait -1", "wait 99999999", "fly", "kill"] {
        assert!(prompt.carry_out(line).is_err(), "{line}");
    }
    assert_eq!(says(&mut prompt, ""), HELP);
}
