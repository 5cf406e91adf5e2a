//! Tests that [`guard`](super::guard) changes what a template may take, and not what it says.

use minijinja::{Environment, ErrorKind, syntax::SyntaxConfig, value::Value};
use proptest::prelude::*;

use super::{guard::guard, settle};

fn engine() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap());
    environment
}

fn render(environment: &Environment<'_>, source: &str) -> Result<String, minijinja::Error> {
    let variables = Value::from_pairs([
        ("s", Value::from("ab")),
        ("n", Value::from(2)),
        ("l", Value::from(vec![Value::from(1), Value::from("x"), Value::from(vec![3])])),
        ("d", Value::from_pairs([("k", 1), ("not", 2)])),
    ]);
    environment.render_str(source, variables)
}

fn plain(source: &str) -> Result<String, minijinja::Error> {
    render(&engine(), source)
}

fn guarded(source: &str) -> Result<String, minijinja::Error> {
    let mut environment = engine();
    settle::add_filters(&mut environment, 1 << 20);
    let guarded = guard(source).map_err(|error| minijinja::Error::new(ErrorKind::SyntaxError, error.to_string()))?;
    render(&environment, &guarded)
}

#[test]
fn values_pass_a_filter_before_they_are_kept() {
    let cases = [
        ("{% set x = [a, b] %}", "{% set x = (([a, b]|_settle))|_settle %}"),
        ("{%- set ns.x = y -%}", "{%- set ns.x = (y)|_field -%}"),
        ("{% set a, b = c, 'd' %}{% set e = 'f' %}", "{% set a, b = (c, 'd')|_settle %}{% set e = 'f' %}"),
        ("{{ f(a + b, 'c', key=d, *e, **g) }}", "{{ (f((a + b)|_settle, 'c', key=(d)|_settle, *e, **g))|_settle }}"),
        ("{{ a.b * -c[0]|f(2)|g ~ d }}", "{{ a.b|_scalar * -c[0]|f(2)|g|_scalar ~ d }}"),
        ("{% for a, b in c if d is not in [e] recursive %}", "{% for a, b in (c)|_items if d is not in [e] recursive %}"),
        ("{% macro m(a, b={}) %}{% call(c) m(d) %}", "{% macro m(a, b=(({}|_settle))|_settle) %}{% call(c) m((d)|_settle) %}"),
        ("{% with a = b, c = (d) %}", "{% with a = (b)|_settle, c = (((d)|_settle))|_settle %}"),
        ("{%- generation +%}x{% endgeneration %}", "{%- with +%}x{% endwith %}"),
        ("{% if x is defined and (a or b) %}{{ a.not[0] }}", "{% if x is defined and ((a or b)|_settle) %}{{ a.not[0] }}"),
        (
            "{% set x %}[1]{% endset %}{# {{ [a] }} #}{% raw %}{{ [a] }}{% endraw %}",
            "{% set x %}[1]{% endset %}{# {{ [a] }} #}{% raw %}{{ [a] }}{% endraw %}",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(guard(source).unwrap(), expected);
    }
}

#[test]
fn a_bound_on_values_is_a_bound_on_what_they_hold() {
    let refused = |source: &str| guarded(source).unwrap_err().to_string();
    assert!(refused("{% set ns = namespace() %}{% set ns.x = [ns] %}").contains("a namespace cannot be kept"));
    for product in ["{{ [1] * 2 }}", "{{ 2 * [1] }}", "{{ 2 * 'a b'|list }}", "{% set if = [1] %}{{ 1 ~ if * 2 }}", "{{ (2)*(l) }}"] {
        assert!(refused(product).contains("only numbers and text"), "{product}");
    }
    assert!(refused(&format!("{{% set x = [1] %}}{}", "{% set x = [x] %}".repeat(200))).contains("nested too deeply"));
    assert!(refused(&format!("{{% set x = [1] %}}{}", "{% set x = [x, x] %}".repeat(20))).contains("grows beyond"));
    assert!(refused(&format!("{{% set x = 'x' * 200000 %}}{}", "{% set y = [x, x, x, x, x, x] %}")).contains("grows beyond"));
}

/// Expressions of everything that is rewritten.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("s"),
        Just("n"),
        Just("l"),
        Just("d"),
        Just("(1)"),
        Just("(2.5)"),
        Just("'a,b'"),
        Just("none"),
        Just("true"),
        Just("nobody"),
        Just("[]"),
        Just("{}"),
        Just("()")
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        let operator = prop::sample::select(vec!["+", "-", "*", "~", "/", "//", "%", "==", "!=", "<", "in", "not in", "and", "or"]);
        let suffix = prop::sample::select(vec![
            ".k",
            ".not",
            "[0]",
            "[1:]",
            "[::-1]",
            "|list",
            "|length",
            "|join('-')",
            "|default('z')",
            "|first",
            "|string",
            " is none",
            " is not in [1, 's']",
            " is sequence",
            " is divisibleby(2)",
            "|map('string')|list",
            "|reverse|list",
            "|tojson_not_there",
        ]);
        prop_oneof![
            (pair.clone(), operator).prop_map(|((a, b), operator)| format!("{a} {operator} {b}")),
            (inner.clone(), suffix).prop_map(|(a, suffix)| format!("{a}{suffix}")),
            pair.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            pair.clone().prop_map(|(a, b)| format!("({a}, {b})")),
            pair.clone().prop_map(|(a, b)| format!("{{'k': {a}, 'm': {b}}}")),
            pair.clone().prop_map(|(a, b)| format!("m({a}, y={b})")),
            pair.clone().prop_map(|(a, b)| format!("({a}) if ({b}) else n")),
            pair.clone().prop_map(|(a, b)| format!("dict(x={a}, y=[{b}]).x")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            inner.prop_map(|a| format!("-{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn guarding_changes_no_meaning(value in expression(), other in expression(), shape in 0..6) {
        let use_of = match shape {
            0 => format!("{{{{ {value} }}}}"),
            1 => format!("{{% set x = {value} %}}{{% set z, y = x, {other} %}}{{{{ [x, y, z] }}}}"),
            2 => format!("{{% for x in {value}|list if {other} %}}{{{{ x }}}}{{% if loop.last %}}!{{% endif %}}{{% else %}}none{{% endfor %}}"),
            3 => format!("{{% with x = {value}, y = {other} %}}{{{{ x }}}}{{{{ y }}}}{{% endwith %}}"),
            4 => format!("{{% set ns = namespace(v={value}) %}}{{% for i in [1, 2] %}}{{% set ns.v = [ns.v, {other}] %}}{{% endfor %}}{{{{ ns.v }}}}"),
            _ => format!("{{% call(x) m({value}) %}}{{{{ x }}}}{{% endcall %}}{{% if {other} %}}t{{% endif %}}"),
        };
        let source = format!("{{% macro m(x, y=[1]) %}}<{{{{ x }}}}|{{{{ y }}}}>{{{{ caller(x) if caller }}}}{{% endmacro %}}{use_of}");
        match (plain(&source), guarded(&source)) {
            (Ok(plain), Ok(guarded)) => prop_assert_eq!(plain, guarded, "{}", source),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => {
                let by_design = ["only numbers and text are multiplied", "has no items"].iter().any(|rule| error.to_string().contains(rule));
                prop_assert!(by_design, "{}: {}", source, error);
            }
            (Err(error), Ok(guarded)) => prop_assert!(false, "{}: {} became {}", source, error, guarded),
        }
    }
}
