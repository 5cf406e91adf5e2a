//! Which answers are the same number, and which say the same in mathematics.

use std::fmt::Write as _;

use jarre_eval::text::{math_equal, numeric_equal, parse_number};

/// Reports all rows whose verdict is not the expected one, in either direction of comparing.
#[track_caller]
fn check(rows: &[(&str, &str, bool)], equal: impl Fn(&str, &str) -> bool) {
    let mut wrong = String::new();
    for (left, right, expected) in rows {
        if equal(left, right) != *expected || equal(right, left) != *expected {
            writeln!(wrong, "{left:?} and {right:?}: expected {expected}").expect("a string takes what is written");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

const NUMBERS: [(&str, &str, bool); 72] = [
    ("42", "42", true),
    ("42", "43", false),
    ("42", "42.0", true),
    ("042", "42", true),
    ("+5", "5", true),
    ("-5", "5", false),
    ("\u{2212}5", "-5", true),
    ("\u{2013}5", "-5", true),
    ("- 5", "-5", true),
    ("--5", "5", false),
    (".5", "0.5", true),
    ("5.", "5", true),
    ("1,234", "1234", true),
    ("1,234,567.89", "1234567.89", true),
    ("12,34,567", "1234567", true),
    ("1,23", "123", false),
    ("1,2345", "12345", false),
    ("1234,567", "1234567", false),
    ("3,5", "3.5", false),
    ("1 234 567", "1234567", true),
    ("1\u{202f}234", "1234", true),
    ("1\u{a0}234", "1234", true),
    ("1'234", "1234", true),
    ("1’234", "1234", true),
    ("1 23", "123", false),
    ("1.234.567", "1234567", false),
    ("$18", "18", true),
    ("$ 18.00", "18", true),
    ("-$18", "-18", true),
    ("$-18", "-18", true),
    ("US$18", "18 dollars", true),
    ("18 USD", "$18", true),
    ("€18", "18 euros", true),
    ("€18", "$18", false),
    ("£18", "18 pounds", true),
    ("18 dollars a day", "18", true),
    ("18 apples", "18 apple", true),
    ("5 km", "5 miles", false),
    ("5 m^2", "5", true),
    ("5 m²", "5", true),
    ("5 to 10", "5", false),
    ("5, she said", "5", false),
    ("50%", "50", true),
    ("50 %", "0.5", true),
    ("50%", "0.5%", false),
    ("50 percent", "50%", true),
    ("50 per cent", "50", true),
    ("50 percentage points", "0.5", false),
    ("1/2", "0.5", true),
    ("3 / 4", "0.75", true),
    ("1/0", "0", false),
    ("1/0", "1/0", false),
    ("1 1/2", "1.5", true),
    ("-1 1/2", "-1.5", true),
    ("½", "0.5", true),
    ("2½", "2.5", true),
    ("2½", "21/2", false),
    ("1e3", "1000", true),
    ("1.5E-3", "0.0015", true),
    ("1.5 × 10^3", "1500", true),
    ("1.5x10^3", "1500", true),
    ("1.5 × 10³", "1500", true),
    ("10^{-2}", "0.01", true),
    ("10⁻²", "0.01", true),
    ("3 million", "3,000,000", true),
    ("3 millions", "3,000,000", false),
    ("$1.5 billion", "1500000000", true),
    ("１２３", "123", true),
    ("－１．５", "-1.5", true),
    ("٤٢", "42", true),
    ("**42**", "42", true),
    ("42.", "42", true),
];

#[test]
fn numbers_are_equal_however_they_are_written() {
    check(&NUMBERS, |left, right| numeric_equal(left, right, 1e-9));
}

#[test]
fn what_is_no_number_equals_nothing() {
    let long = "9".repeat(300);
    let texts =
        ["", " ", "abc", "NaN", "nan", "inf", "-infinity", "1e999", "1/0", "e5", "5e5e5", "1..2", "-", "$", "%", "0x10", "1_000", &long];
    for text in texts {
        assert_eq!(parse_number(text), None, "{text}");
        assert!(!numeric_equal(text, text, 1.0), "{text}");
    }
    assert!(!numeric_equal("NaN", "NaN", 1.0));
    assert!(!numeric_equal("inf", "inf", 1.0));
}

#[test]
fn the_tolerance_is_relative_and_has_to_be_one() {
    assert!(numeric_equal("100", "101", 0.01));
    assert!(!numeric_equal("100", "101.1", 0.01));
    assert!(numeric_equal("1e-9", "1.005e-9", 0.01));
    assert!(!numeric_equal("0", "1e-300", 0.5));
    assert!(numeric_equal("0.1", "0.10", 0.0));
    assert!(!numeric_equal("5", "5", -1.0));
    assert!(!numeric_equal("5", "5", f64::NAN));
}

const MATHS: [(&str, &str, bool); 118] = [
    // Fractions and decimals.
    (r"\frac{1}{2}", "1/2", true),
    (r"\dfrac{1}{2}", r"\tfrac{1}{2}", true),
    (r"\frac12", "0.5", true),
    (r"\frac1{72}", "1/72", true),
    (r"\frac{1}2", "0.5", true),
    (r"\frac 3 4", "3/4", true),
    (r"-\frac{1}{2}", r"\frac{-1}{2}", true),
    (r"\frac{1}{-2}", "-0.5", true),
    (r"\frac{2}{4}", r"\frac{1}{2}", true),
    (r"\frac{\frac{1}{2}}{3}", "1/6", true),
    (r"\frac{1}{3}", "0.333", false),
    (r"\frac{1}{3}", "0.3333333333333333", false),
    ("0.1", "1/10", true),
    (".5", "0.50", true),
    (r"\frac{1}{0}", r"\frac{1}{0}", true),
    (r"\frac{1}{0}", "0", false),
    (r"\frac{1}{0}", r"\frac{2}{0}", false),
    // Mixed numbers.
    (r"1\frac{1}{2}", "3/2", true),
    ("1 1/2", "1.5", true),
    (r"-1\frac{1}{2}", "-1.5", true),
    (r"3\frac{4}{5}", "3.8", true),
    ("1½", "1.5", true),
    (r"2\frac{x}{3}", r"\frac{2x}{3}", true),
    // Roots and powers.
    (r"\sqrt{4}", "2", true),
    (r"\sqrt{12}", r"2\sqrt{3}", true),
    (r"\sqrt3", "sqrt(3)", true),
    ("√3", r"\sqrt{3}", true),
    (r"\sqrt[3]{27}", "3", true),
    (r"\sqrt[3]{-8}", "-2", true),
    (r"\sqrt{-4}", "-2", false),
    (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}", true),
    (r"\sqrt{2}", "1.414", false),
    (r"\sqrt{2}", "1.4142135623730951", true),
    ("2^{10}", "1024", true),
    ("2^10", "1024", true),
    ("2**10", "1024", true),
    ("10^{-3}", "0.001", true),
    ("4^{1/2}", "2", true),
    ("8^{2/3}", "4", true),
    ("-2^2", "-4", true),
    ("(-2)^2", "4", true),
    ("2²", "4", true),
    ("0^0", "1", false),
    ("2^{1000}", "2^{1001}", false),
    // Arithmetic.
    ("3+4", "7", true),
    (r"3 \cdot 4", "12", true),
    (r"3\times4", "12", true),
    (r"6 \div 4", "3/2", true),
    ("2(3+4)", "14", true),
    ("2--3", "5", false),
    ("2*-3", "-6", true),
    ("1/2/2", "1/4", true),
    ("1 - 1", "0", true),
    // Pi.
    (r"2\pi", "2pi", true),
    (r"\frac{\pi}{2}", "pi/2", true),
    ("2π", r"\pi\cdot 2", true),
    (r"\pi", "3.14", false),
    (r"\pi", "3.141592653589793", true),
    (r"\frac{3\pi}{4}", r"\frac{3}{4}\pi", true),
    // Boxes, dollars, text.
    (r"\boxed{42}", "42", true),
    (r"The answer is $\boxed{\frac{3}{4}}$, as $\boxed{1}$ is not.", "1", true),
    (r"so \boxed{\frac{1}{\sqrt{2}}}", r"\frac{\sqrt{2}}{2}", true),
    ("$5$", "5", true),
    (r"\$5.00", "5", true),
    (r"\(5\)", "5", true),
    (r"\text{Tuesday}", "tuesday", true),
    (r"\text{even}", "odd", false),
    (r"\text{(B)}", "B", true),
    ("(B)", "(C)", false),
    (r"\mathrm{no}", "on", false),
    ("John beats Mary", "Mary beats John", false),
    ("John  beats Mary", "John beats Mary", true),
    // Units.
    (r"5\text{ cm}", "5", true),
    (r"5\text{ cm}^2", "5", true),
    (r"5 \text{ cm}^{2}", "5", true),
    ("5 cm", "5", true),
    ("12 square units", "12", true),
    ("5x", "5", false),
    (r"90^\circ", "90", true),
    (r"90^{\circ}", "90°", true),
    (r"90 \degree", "90", true),
    ("90 degrees", "90", true),
    (r"50\%", "50", true),
    ("50%", "0.5", false),
    // Thousands.
    ("1,234", "1234", true),
    (r"1{,}234", "1234", true),
    (r"1,\!234,\!567", "1234567", true),
    ("1,234", "1, 234", false),
    // Names of the answer.
    ("x = 5", "5", true),
    ("x=5", "y=5", false),
    ("x=5", "x = 5.0", true),
    (r"x \in [1,2]", "[1,2]", true),
    ("y = 2x + 1", "y = 1 + 2x", true),
    // Tuples, points, intervals.
    ("(1,2)", r"\left(1, 2\right)", true),
    ("(1,2)", "(2,1)", false),
    ("(1,2)", "[1,2]", false),
    ("(1,2)", "(1,2]", false),
    ("(0.5, 3)", r"\left( \frac12, 3 \right)", true),
    ("(1,234)", "(1234)", false),
    ("(1,2,3)", "(1,2)", false),
    (r"(-\infty, 5)", "(-inf,5)", true),
    (r"(-\infty, 5)", r"(\infty, 5)", false),
    (r"(-\infty,1)\cup(2,\infty)", "(-∞, 1) ∪ (2, ∞)", true),
    (r"(2,\infty)\cup(-\infty,1)", r"(-\infty,1)\cup(2,\infty)", true),
    (r"(-\infty,1)\cup(2,\infty)", r"(-\infty,1)\cup[2,\infty)", false),
    ("((1,2),3)", "((1,2), 3)", true),
    // Sets and lists.
    (r"\{1,2\}", r"\{2,1\}", true),
    ("1, 2", "2, 1", true),
    ("1 and 2", "2, 1", true),
    ("1, 2", "1, 3", false),
    ("1, 1, 2", "1, 2, 2", false),
    (r"\{\frac12\}", "0.5", true),
    // Letters.
    ("x+1", "1+x", true),
    ("2x^{2}", "2x^2", true),
    ("(x+1)^2", "x^2+2x+1", false),
    (r"\frac{x+1}{2}", "(x+1)/2", true),
    (r"\sin x \cos y", r"\sin y \cos x", false),
    (r"1 \pm 2", r"2 \pm 1", false),
];

#[test]
fn answers_are_equal_by_what_they_say() {
    check(&MATHS, math_equal);
}

#[test]
fn what_is_not_understood_is_compared_as_text() {
    let rows = [
        ("101_2", "101_2", true),
        ("101_2", "101_3", false),
        (r"0.\overline{3}", r"0.\overline{3}", true),
        ("5!", "5 !", true),
        ("5!", "120", false),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}", true),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix}2\\1\end{pmatrix}", false),
        ("1 \\pm 2", "1\\pm 2", true),
        ("答え", "答え", true),
        ("x < 5", "x<5", true),
        ("x < 5", "x > 5", false),
    ];
    check(&rows, math_equal);
}

#[test]
fn broken_and_hostile_answers_are_compared_without_harm() {
    let nested = format!("{}1{}", r"\frac{1}{".repeat(200), "}".repeat(200));
    let deep = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
    let roots = "sqrt ".repeat(800);
    let powers = format!("9{}", "^9".repeat(1000));
    let list = "1, ".repeat(1300);
    let huge = "1+".repeat(5_000_000);
    let number = "9".repeat(4000);
    let braces = r"\boxed{".repeat(500_000);
    for text in [&nested, &deep, &roots, &powers, &list, &huge, &number, &braces] {
        assert!(math_equal(text, text), "{}", &text[..20]);
        assert!(!math_equal(text, "1"), "{}", &text[..20]);
    }
    for text in [
        "\\",
        "{",
        "}",
        "\\frac",
        "\\frac{",
        "\\frac1",
        "\\sqrt[",
        "\\sqrt[3",
        "\\sqrt",
        "^",
        "_",
        "(",
        ")",
        "\\{",
        "é\\",
        "\\é",
        "\\frac é{",
        "1^",
        "\\text{",
        "$",
    ] {
        assert!(!math_equal(text, "1"), "{text}");
        math_equal(text, text);
    }
    for empty in ["", " ", "$$", r"\boxed{}"] {
        assert!(!math_equal(empty, ""), "{empty}");
        assert!(!math_equal(empty, "0"), "{empty}");
    }
}

#[test]
fn items_of_a_set_leave_each_other_the_partner_that_suits() {
    // The first agrees to nine digits with both figures, the second with the first figure only.
    check(&[(r"\{\sqrt{2}, \sqrt{1.9999999968}\}", r"\{1.4142135623, 1.414213563\}", true)], math_equal);
    check(&[(r"\{\sqrt{2}, \sqrt{1.9999999968}\}", r"\{1.414213563, 1.414213563\}", false)], math_equal);
    check(&[("1, 1, 2", "1, 2, 2", false), ("1, 1, 2", "1, 2, 1", true)], math_equal);
}

#[test]
fn a_command_may_be_any_character() {
    check(&[("\\boxed\\é", "\\frac\\é", false), ("\\boxed\\\u{85}%f{uf%%{f", "1", false)], math_equal);
    check(&[(r"2^{-2 \cdot 85070591730234615865843651857942052864}", "0", true)], math_equal);
}
