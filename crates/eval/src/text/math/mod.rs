mod answer;
mod boxed;
mod expression;
mod lexer;
mod parser;
mod rational;
mod token;

pub use boxed::boxed;

use answer::Answer;

/// Longer answers, in bytes, are compared as text.
const LONGEST: usize = 4096;

/// Whether two answers to a task in mathematics say the same, in LaTeX or plain notation, like those of MATH (Hendrycks et al. 2021) and
/// GSM8K.
///
/// - The content of the last `\boxed{}` counts where there is one. `$`, `\left`, spacing, `\text{}`, signs of degrees, percent and currency, a
///   point at the end and units after a figure are taken off; `x = 5` equals `5`, but not `y = 5`.
/// - **Arithmetic is worked out**: fractions in all their forms, decimals, mixed numbers, powers, roots, pi, the four operations. What is
///   rational is compared exactly, so that 0.333 is not a third; other figures agree to nine digits.
/// - **Tuples, points and intervals** agree item by item, with their brackets; sets, lists without brackets and unions in any order. A comma
///   before three digits parts thousands, except in brackets.
/// - **With letters**, terms and factors may change places; everything else must be written alike. This is no computer algebra:
///   `(x+1)^2` is not `x^2+2x+1`, and units, bases (`101_2`), functions (`\sin`), matrices, factorials, repeating decimals and `\pm` are
///   compared as text.
///
/// Never panics, and takes time linear in what it reads but for sets, which it compares item by item: answers over 4,096 bytes and those
/// nested over 32 deep are compared as text, white space at their ends apart. Two answers without content are not the same.
///
/// ```
/// use jarre_eval::text::math_equal;
///
/// assert!(math_equal(r"The answer is $\boxed{\dfrac{1}{2}}$.", "0.5"));
/// assert!(math_equal(r"2\sqrt{3}", r"\sqrt{12}"));
/// assert!(math_equal(r"\left(3, \frac{\pi}{2}\right)", "(3, pi/2)"));
/// assert!(!math_equal("0.333", r"\frac13"));
/// ```
pub fn math_equal(answer: &str, reference: &str) -> bool {
    let [answer, reference] = [answer, reference].map(|text| boxed(text).unwrap_or(text).trim());
    let read = |text: &str| if text.len() <= LONGEST { Answer::read(text) } else { None };
    match read(answer).zip(read(reference)) {
        Some((answer, reference)) => answer.same(&reference),
        None => answer == reference && !answer.is_empty(),
    }
}
