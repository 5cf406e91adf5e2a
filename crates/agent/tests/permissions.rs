//! Rules against calls that try to get round them.

use jarre_agent::{Rule, RuleSet, Verdict};
use jarre_core::{Permission, ToolSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

fn spec(name: &str, class: Permission) -> ToolSpec {
    ToolSpec::new(name, "does", json!({"type": "object"}), class)
}

fn shell() -> ToolSpec {
    spec("shell", Permission::Execute)
}

fn rules(rules: impl IntoIterator<Item = Rule>) -> RuleSet {
    RuleSet { rules: rules.into_iter().collect(), ..RuleSet::default() }
}

#[test]
fn a_command_that_does_more_than_is_allowed_is_not() {
    let rules = rules([Rule::new(Verdict::Allow).on_command("cargo test *"), Rule::new(Verdict::Allow).on_command("ls")]);
    let verdict = |command: Value| rules.verdict(&shell(), &json!({"command": command})).0;
    for harmless in [
        json!("cargo test"),
        json!("cargo test -p jarre-agent --lib"),
        json!(" cargo\ttest 'a b' \"c; d\""),
        json!(["cargo", "test"]),
        json!(["cargo", "test", "; rm -rf ~", "$(x)"]),
        json!("ls"),
    ] {
        assert_eq!(verdict(harmless.clone()), Verdict::Allow, "{harmless}");
    }
    for attack in [
        json!("cargo test; rm -rf ~"),
        json!("cargo test $(x)"),
        json!("cargo test `x`"),
        json!("cargo test \"$(x)\""),
        json!("cargo test && x"),
        json!("cargo test & x"),
        json!("cargo test | x"),
        json!("cargo test > /etc/passwd"),
        json!("cargo test < /etc/passwd"),
        json!("cargo test\nx"),
        json!("cargo test\r\nx"),
        json!("cargo test # x"),
        json!("cargo test {a,b}"),
        json!("cargo test *"),
        json!("cargo test ~/x"),
        json!("cargo test 'x"),
        json!("cargo test \\"),
        json!("PATH=/tmp cargo test"),
        json!("/tmp/cargo test"),
        json!("./cargo test"),
        json!("cargo  build"),
        json!("cargo\u{a0}test"),
        json!("'cargo test'"),
        json!("ls -la"),
        json!("sudo ls"),
        json!(["cargo test"]),
        json!(["cargo test", "x"]),
        json!(["sh", "-c", "cargo test"]),
        json!(["ls", ""]),
        json!([["cargo", "test"]]),
        json!({"program": "ls"}),
        json!([]),
        json!(""),
        json!(null),
        json!(7),
    ] {
        assert_eq!(verdict(attack.clone()), Verdict::Ask, "{attack}");
    }
    assert_eq!(rules.verdict(&shell(), &json!({"cmd": "ls"})).0, Verdict::Ask, "the command is missing");
}

#[test]
fn code_is_no_command_that_is_allowed_and_may_hold_one_that_is_not() {
    let rules = rules([Rule::new(Verdict::Allow).on_command("ls"), Rule::new(Verdict::Deny).on_command("rm *")]);
    let verdict = |code: &str| rules.verdict(&shell(), &json!({"language": "shell", "code": code})).0;
    assert_eq!((verdict("ls"), verdict("cd x && rm -r y"), verdict("print(1)")), (Verdict::Ask, Verdict::Deny, Verdict::Ask));
    let both = json!({"command": "ls", "code": "rm x"});
    assert_eq!(rules.verdict(&shell(), &both).0, Verdict::Allow, "what is run is the command");
}

#[test]
fn a_command_that_is_denied_is_found_in_others() {
    let rules = rules([Rule::new(Verdict::Allow).on_class(Permission::Execute), Rule::new(Verdict::Deny).on_command("rm *")]);
    let verdict = |command: Value| rules.verdict(&shell(), &json!({"command": command})).0;
    for attack in [
        json!("rm -rf /"),
        json!("rm"),
        json!("cargo test; rm -rf ~"),
        json!("cd x && sudo /bin/rm y"),
        json!("echo $(rm x)"),
        json!("'r'm x"),
        json!("\"rm\" x"),
        json!("r\\m x"),
        json!("env A=1 rm x"),
        json!("find . -exec rm {} +"),
        json!(["rm", "x"]),
        json!(["/usr/bin/rm", "x"]),
        json!(["sh", "-c", "ls; rm x"]),
        json!(["sh", "-c", "'rm' x"]),
        json!({"program": "rm"}),
        json!(["rm", 7]),
    ] {
        assert_eq!(verdict(attack.clone()), Verdict::Deny, "{attack}");
    }
    for harmless in [json!("ls rmdir"), json!(["cargo", "test"]), json!("farm x"), json!([])] {
        assert_eq!(verdict(harmless.clone()), Verdict::Allow, "{harmless}");
    }
}

#[test]
fn a_path_is_compared_by_where_it_leads() {
    let rules = rules([
        Rule::new(Verdict::Allow).on_tool("file_write").on_path("src/**"),
        Rule::new(Verdict::Ask).on_path("**/*.toml"),
        Rule::new(Verdict::Deny).on_path("**/secrets/**"),
    ]);
    let verdict = |path: Value| rules.verdict(&spec("file_write", Permission::Write), &json!({"path": path})).0;
    for (path, expected) in [
        (json!("src/lib.rs"), Verdict::Allow),
        (json!("./src//a/../lib.rs"), Verdict::Allow),
        (json!("src"), Verdict::Allow),
        (json!("src/Cargo.toml"), Verdict::Ask),
        (json!("src/../README.md"), Verdict::Ask),
        (json!("srcs/lib.rs"), Verdict::Ask),
        (json!("src/secrets/key"), Verdict::Deny),
        (json!("secrets"), Verdict::Deny),
        (json!("src/x/../secrets/./key"), Verdict::Deny),
        (json!("src/../../etc/passwd"), Verdict::Deny),
        (json!("../src/lib.rs"), Verdict::Deny),
        (json!("/src/lib.rs"), Verdict::Deny),
        (json!("src/lib.rs\0.txt"), Verdict::Deny),
        (json!(["src/lib.rs"]), Verdict::Deny),
        (json!(null), Verdict::Deny),
    ] {
        assert_eq!(verdict(path.clone()), expected, "{path}");
    }
    let other = rules.verdict(&spec("file_delete", Permission::Write), &json!({"path": "src/lib.rs"}));
    assert_eq!(other.0, Verdict::Ask, "the rule is on another tool");
    let absolute = RuleSet { rules: vec![Rule::new(Verdict::Deny).on_path("/etc/**")], otherwise: Verdict::Allow };
    let verdict = |path: &str| absolute.verdict(&spec("file_write", Permission::Write), &json!({"path": path})).0;
    assert_eq!(
        (verdict("etc/x"), verdict("/etc/x"), verdict("/a/../etc/x"), verdict("/tmp")),
        (Verdict::Allow, Verdict::Deny, Verdict::Deny, Verdict::Allow)
    );
}

#[test]
fn what_no_rule_speaks_of_is_asked_but_for_reading() {
    let verdict = |otherwise, class| RuleSet { rules: Vec::new(), otherwise }.verdict(&spec("t", class), &json!({})).0;
    for class in [Permission::Write, Permission::Execute, Permission::Network] {
        for otherwise in [Verdict::Allow, Verdict::Ask, Verdict::Deny] {
            assert_eq!(verdict(otherwise, class), otherwise);
        }
    }
    assert_eq!(verdict(Verdict::Ask, Permission::Read), Verdict::Allow);
    assert_eq!(verdict(Verdict::Deny, Permission::Read), Verdict::Deny);
}

#[test]
fn what_a_rule_did_is_told() {
    let rules = rules([
        Rule::new(Verdict::Ask).on_class(Permission::Network),
        Rule::new(Verdict::Deny).on_tool("shell").on_command("rm *"),
        Rule::new(Verdict::Deny).on_path("secrets/**"),
    ]);
    let why = |spec: ToolSpec, arguments: Value| rules.verdict(&spec, &arguments).1;
    assert_eq!(why(spec("fetch", Permission::Network), json!({})), "rule 1: ask before network calls");
    assert_eq!(why(shell(), json!({"command": "rm x"})), "rule 2: deny `shell` with commands like `rm *`");
    assert_eq!(why(spec("file_read", Permission::Read), json!({"path": "secrets"})), "rule 3: deny any tool on paths like `secrets/**`");
    assert_eq!(why(shell(), json!({})), "no rule speaks of it, and it is a call of the class `execute`");
    assert_eq!(rules.unreadable().collect::<Vec<_>>(), ["secrets/**"]);
    let wire = serde_json::to_value(&rules).unwrap();
    assert_eq!(serde_json::from_value::<RuleSet>(wire).unwrap(), rules);
    assert!(
        serde_json::from_value::<RuleSet>(json!({"rules": [{"verdict": "allow", "paths": "x"}]})).is_err(),
        "a misspelt condition is none"
    );
}

fn rule() -> impl Strategy<Value = Rule> {
    let verdict = prop_oneof![Just(Verdict::Allow), Just(Verdict::Ask), Just(Verdict::Deny)];
    (verdict, proptest::option::of("[ab*/?.]{0,6}"), proptest::option::of("[ab* ]{0,6}")).prop_map(|(verdict, path, command)| Rule {
        verdict,
        tool: None,
        class: None,
        path,
        command,
    })
}

proptest! {
    #[test]
    fn more_rules_that_ask_or_deny_never_loosen(
        mut set in proptest::collection::vec(rule(), 0..4), more in rule(), path in "[ab./]{0,8}", command in "[ab ;$']{0,8}",
    ) {
        prop_assume!(more.verdict != Verdict::Allow);
        let arguments = json!({"path": path, "command": command});
        // Without a rule the call is asked for, which a rule that allows may change: so the rule set begins with one.
        set.push(Rule::new(Verdict::Allow));
        let before = rules(set.clone()).verdict(&shell(), &arguments).0;
        set.push(more);
        prop_assert!(rules(set).verdict(&shell(), &arguments).0 >= before);
    }

    #[test]
    fn an_allowed_path_is_beneath_what_the_rule_names(path in "[a.x/]{0,12}") {
        let set = rules([Rule::new(Verdict::Allow).on_path("x/**")]);
        if set.verdict(&spec("w", Permission::Write), &json!({"path": path.clone()})).0 == Verdict::Allow {
            let mut parts: Vec<&str> = Vec::new();
            for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
                if part == ".." { prop_assert!(parts.pop().is_some()) } else { parts.push(part) }
            }
            prop_assert!(!path.starts_with('/') && parts.first() == Some(&"x"));
        }
    }

    #[test]
    fn a_list_of_words_is_allowed_by_a_rule_that_names_them(words in proptest::collection::vec("[a-z]{1,5}", 1..5)) {
        let set = rules([Rule::new(Verdict::Allow).on_command(words.join(" "))]);
        prop_assert_eq!(set.verdict(&shell(), &json!({"command": words.clone()})).0, Verdict::Allow);
        prop_assert_eq!(set.verdict(&shell(), &json!({"command": words.join("  ")})).0, Verdict::Allow);
        let mut more = words;
        more.push("x".into());
        prop_assert_eq!(set.verdict(&shell(), &json!({"command": more})).0, Verdict::Ask);
    }

    #[test]
    fn no_text_is_a_panic(path in "\\PC{0,20}", command in "\\PC{0,20}", glob in "\\PC{0,20}") {
        let set = rules([Rule::new(Verdict::Deny).on_path(glob.clone()), Rule::new(Verdict::Allow).on_command(glob)]);
        let _ = set.verdict(&shell(), &json!({"path": path, "command": command}));
    }
}
