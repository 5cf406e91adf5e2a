//! What expressions come to.

use jarre_calculator::{Error, evaluate, names};

fn told(expression: &str) -> String {
    evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}")).to_string()
}

#[test]
fn operators_bind_as_in_mathematics() {
    let cases = [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("100 / 10 / 5", "2"),
        ("-2^2", "-4"),
        ("(-2)^2", "4"),
        ("2^3^2", "512"),
        ("2**10", "1024"),
        ("2^-3^2", "1/512"),
        ("2^-1 * 4", "2"),
        ("--3", "3"),
        ("-+-3", "3"),
        ("3!^2", "36"),
        ("3!!", "720"),
        ("-3!", "-6"),
        ("2 * -3", "-6"),
        ("7 % 3", "1"),
        ("-7 % 3", "2"),
        ("7 % (-3)", "-2"),
        ("7.5 mod 2", "1.5"),
        ("7%", "0.07"),
        ("50% of 20% of 90", "9"),
        ("100 + 10%", "100.1"),
        ("10% - 1", "-0.9"),
        ("1 − 2 × 3 ÷ 4", "-0.5"),
        ("\t1\n+ 1 ", "2"),
    ];
    for (expression, value) in cases {
        assert_eq!(told(expression).split(" ≈").next().unwrap(), value.replace("1/512", "0.001953125"), "{expression}");
    }
}

#[test]
fn numbers_are_read_in_every_notation() {
    let cases = [
        ("1_000_000", "1000000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.50", "1.5"),
        ("1.5e3", "1500"),
        ("15E-1", "1.5"),
        ("1e+2", "100"),
        ("0xFF", "255"),
        ("0b1010", "10"),
        ("0o17", "15"),
        ("0x1_0", "16"),
        ("007", "7"),
        ("0.1 + 0.2", "0.3"),
        ("1e-20 * 1e20", "1"),
    ];
    for (expression, value) in cases {
        assert_eq!(told(expression), value, "{expression}");
    }
}

#[test]
fn functions_are_exact_where_their_values_are() {
    let cases = [
        ("sqrt(144)", "12"),
        ("sqrt(2.25)", "1.5"),
        ("cbrt(-27)", "-3"),
        ("4^0.5", "2"),
        ("hypot(3, 4)", "5"),
        ("log2(1024)", "10"),
        ("log10(0.001)", "-3"),
        ("log(81, 3)", "4"),
        ("log2(2^4000)", "4000"),
        ("ln(1)", "≈ 0"),
        ("exp(0)", "1"),
        ("floor(-7/2)", "-4"),
        ("ceil(-7/2)", "-3"),
        ("trunc(-7/2)", "-3"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(2/3, 2)", "0.67"),
        ("round(1234, -2)", "1200"),
        ("min(3, 1/2, 2)", "0.5"),
        ("max(3, pi, 2)", "≈ 3.141592653589793"),
        ("gcd(12, 18, 27)", "3"),
        ("lcm(4, 6)", "12"),
        ("gcd(0, 0)", "0"),
        ("sum(1, 2, 3.5)", "6.5"),
        ("mean(1, 2)", "1.5"),
        ("comb(52, 5)", "2598960"),
        ("comb(5, 6)", "0"),
        ("comb(1000, 500) / comb(1000, 499) * 500", "501"),
        ("perm(5, 2)", "20"),
        ("factorial(20)", "2432902008176640000"),
        ("abs(-1/3) * 3", "1"),
        ("sign(-2)", "-1"),
        ("ATAN2(1, 1) * 4", "≈ 3.141592653589793"),
        ("2 * π", "≈ 6.283185307179586"),
        ("cos(0)", "≈ 1"),
    ];
    for (expression, value) in cases {
        assert_eq!(told(expression), value, "{expression}");
    }
}

#[test]
fn answers_are_exact_up_to_4096_bits_and_doubles_beyond() {
    assert!(evaluate("2^4095").unwrap().is_exact());
    assert_eq!(evaluate("2^4095 / 2^4094").unwrap().to_i128(), Some(2));
    assert!(matches!(evaluate("2^4096"), Err(Error::TooLarge { .. })), "no double holds it");
    assert_eq!(told("2^-4100"), "≈ 0");
    assert!(!evaluate("(2^4095 + 1) / (2^4095 + 3) * ((2^4095 + 5) / (2^4095 + 7))").unwrap().is_exact());
    assert_eq!(evaluate("1/3").unwrap().to_fraction(), Some(("1".into(), "3".into())));
    assert_eq!(evaluate("-0").unwrap().to_string(), "0");
    assert_eq!(evaluate("2^127").unwrap().to_i128(), None);
    assert_eq!(evaluate("pi").unwrap().to_fraction(), None);
    assert_eq!(evaluate("(-1)^(10^30 + 1)").unwrap().to_i128(), Some(-1));
    assert_eq!(told("0.5^(10^400)"), "≈ 0");
}

/// What no double holds on the way is no obstacle where one holds the answer.
#[test]
fn doubles_meet_exact_numbers_of_any_size() {
    let cases = [
        ("pi * 10^300 / 10^320", "≈ 3.141592653589793e-20"),
        ("pi * 10^-300 / 10^-320", "≈ 3.141592653589793e20"),
        ("10^400 / (pi * 10^300)", "≈ 3.183098861837907e99"),
        ("-(10^-400) / (pi * 10^-300)", "≈ -3.183098861837907e-101"),
        ("sqrt(2) / 3", "≈ 0.47140452079103173"),
        ("hypot(3 * 10^300, 4 * 10^300) / 10^300", "5"),
        ("cos(0)^-(10^400)", "≈ 1"),
        ("(-cos(0))^(10^400 + 1)", "≈ -1"),
        ("cos(1)^(10^400)", "≈ 0"),
        ("2^-(10^400)", "≈ 0"),
        ("(-2)^-(10^400 + 1)", "≈ -0"),
        ("(10^1000)^-(10^300)", "≈ 0"),
        ("(10^-1000)^(10^300)", "≈ 0"),
    ];
    for (expression, value) in cases {
        assert_eq!(told(expression), value, "{expression}");
    }
    let near = [
        ("hypot(pi * 10^-200, pi * 10^-200)", 4.442_882_938_158_366e-200),
        ("hypot(pi * 10^200, 10^200)", 3.296_908_309_475_615e200),
        ("hypot(10^-200, 10^-200)", 1.414_213_562_373_095e-200),
        ("hypot(10^200, 10^200)", 1.414_213_562_373_095e200),
        ("(10^1000)^0.1", 1e100),
        ("(10^-1000)^0.1", 1e-100),
        ("(10^-1000)^-0.25", 1e250),
        ("(10^500)^(pi / 10)", 1.201_248_005_212_740_1e157),
    ];
    for (expression, value) in near {
        let answer = evaluate(expression).unwrap().to_f64();
        assert!((answer / value - 1.0).abs() < 2e-15, "{expression}: {answer:e}");
    }
    for expression in [
        "(10^1000)^2.5",
        "(10^-1000)^-2.5",
        "cos(0)^2 * 2^(10^400)",
        "(10^1000)^(10^400)",
        "(10^1000)^(10^300)",
        "(10^-1000)^-3",
        "pi / 10^-400",
    ] {
        assert!(matches!(evaluate(expression), Err(Error::TooLarge { .. })), "{expression}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        ("", "at character 1: there is no expression"),
        ("1 +", "at character 4: a number is missing before the end"),
        ("1 + * 2", "at character 5: a number is missing before `*`"),
        ("(1 + 2", "at character 1: the bracket is not closed"),
        ("1 + 2)", "at character 6: a bracket is closed that was not opened"),
        ("2(3)", "at character 2: an operator is missing before `(`, write `*` for a product"),
        ("1,000", "at character 2: a comma stands between the arguments of a function, write 1000 for 1,000"),
        ("(1, 2)", "at character 3: a comma stands between the arguments of a function, write 1000 for 1,000"),
        ("sqrt 2", "at character 6: `sqrt` is a function, write its arguments in brackets"),
        ("sqrt(1, 2)", "at character 1: `sqrt` takes one argument, it was given 2"),
        ("log(2)", "at character 1: `log` takes 2 arguments, it was given 1"),
        ("min()", "at character 1: `min` takes at least 1 arguments, it was given 0"),
        ("sqr(2)", "at character 1: `sqr` is not known, did you mean `sqrt`?"),
        ("choose(5, 2)", "at character 1: `choose` is not known, did you mean `comb`?"),
        ("__import__('os')", "at character 12: `\\'` is not known"),
        ("foo", "at character 1: `foo` is not known"),
        ("x = 1", "at character 3: `=` is not known, an expression compares nothing"),
        ("1 / 0", "at character 3: division by zero"),
        ("0^-1", "at character 2: division by zero"),
        ("5 % 0", "at character 3: division by zero"),
        ("sqrt(-1)", "at character 1: a square root of a negative number"),
        ("(-8)^0.3", "at character 5: a power of a negative number with an exponent that is not whole"),
        ("ln(0)", "at character 1: a logarithm of or to what is not above zero"),
        ("asin(2)", "at character 1: no real number is the result"),
        ("2.5!", "at character 4: a factorial of what is not a whole number from 0 on"),
        ("é + 10!!", "at character 1: `é` is not known"),
        ("10!!", "at character 4: the number is too large to be told"),
        ("1e99999999999999999999", "at character 1: the number is too large to be told"),
        ("0x", "at character 1: the number has a digit that base 16 does not, or none at all"),
        ("1.2.3", "at character 4: a number ends here and something follows, write `*` for a product"),
        ("2x", "at character 2: a number ends here and something follows, write `*` for a product"),
        ("[1]", "at character 1: `[` is not known, use round brackets"),
    ];
    for (expression, message) in cases {
        let error = evaluate(expression).unwrap_err();
        assert_eq!(error.to_string(), message, "{expression}");
        assert_eq!(error.at().map(|at| format!("{at}")), message.split([' ', ':']).nth(2).map(str::to_owned), "{expression}");
    }
}

#[test]
fn what_would_not_end_is_refused() {
    for hostile in
        ["9^9^9^9", "10!!!!", "1e999999999^2", "2^2^2^2^2^2^2^2", "comb(10^18, 10^17)", "perm(10^18, 10^18)", "lcm(2^4000+1, 2^4001+1)"]
    {
        assert!(matches!(evaluate(hostile), Err(Error::TooLarge { .. })), "{hostile}");
    }
    let nested = |open: &str, levels: usize, close: &str| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    for hostile in
        [nested("(", 1_000_000, ")"), nested("(", 101, ")"), nested("-", 200, ""), nested("2^", 200, ""), nested("abs(", 200, ")")]
    {
        assert!(matches!(evaluate(&hostile), Err(Error::Limit { .. })));
    }
    let heavy = format!("2^4000+1{}", " + gcd(7^1400+2, 5^1700+3, 3^2500+7)".repeat(100));
    assert!(matches!(evaluate(&heavy), Err(Error::Limit { what: "units of work", .. })));
    assert_eq!(told(&nested("(", 100, ")")), "1");
    assert_eq!(told(&vec!["1"; 2000].join("+")), "2000");
}

#[test]
fn every_name_is_found() {
    for name in names() {
        assert!(!matches!(evaluate(&format!("{name}(1)")), Err(Error::UnknownName { .. })), "{name}");
    }
    assert!(names().count() > 40);
}
