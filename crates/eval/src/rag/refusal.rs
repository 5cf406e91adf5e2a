/// Whether `answer` declines to answer: says in its first two sentences that the writer does not know, cannot tell, or finds nothing about it
/// in what was retrieved. By English phrases, so that the figure means the same for every judge; another language needs another rule.
///
/// ```
/// use jarre_eval::rag::is_refusal;
///
/// assert!(is_refusal("I'm sorry, but the context does not mention a date."));
/// assert!(!is_refusal("Nobody knows why the mill burnt down."));
/// ```
pub fn is_refusal(answer: &str) -> bool {
    let start: String = answer.chars().take(400).collect::<String>().to_lowercase().replace('’', "'");
    let start = crate::judge::sentences(&start).into_iter().take(2).collect::<Vec<_>>().join(" ");
    PHRASES.iter().any(|phrase| start.contains(phrase)) || SUBJECTS.iter().any(|subject| declines(&start, subject))
}

/// Whether what the answer was to rest on is said to lack something.
fn declines(start: &str, subject: &str) -> bool {
    let rest = start.split_once(subject).map(|(_, rest)| rest.trim_start());
    rest.is_some_and(|rest| LACKS.iter().any(|lacks| rest.starts_with(lacks)))
}

const PHRASES: [&str; 22] = [
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "i cannot answer",
    "i can't answer",
    "i cannot determine",
    "i can't determine",
    "i cannot find",
    "i can't find",
    "i could not find",
    "i couldn't find",
    "i cannot help",
    "i can't help",
    "i'm unable to",
    "i am unable to",
    "cannot be determined from",
    "cannot be answered from",
    "not enough information",
    "insufficient information",
    "no information about",
    "no relevant information",
];

const SUBJECTS: [&str; 7] = ["context", "documents", "document", "passages", "passage", "sources", "text"];

const LACKS: [&str; 12] = [
    "does not mention",
    "doesn't mention",
    "do not mention",
    "don't mention",
    "does not contain",
    "doesn't contain",
    "do not contain",
    "don't contain",
    "does not provide",
    "doesn't provide",
    "do not provide",
    "does not say",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_and_answers_that_look_like_them() {
        for answer in [
            "I don't know.",
            "Sorry! I’m unable to answer that.",
            "The provided context does not contain the name of the founder.",
            "Based on the passages, there is not enough information to tell.",
            "The documents don't mention it.",
        ] {
            assert!(is_refusal(answer), "{answer}");
        }
        for answer in [
            "",
            "It was built in 1932.",
            "The contract does not mention a date, so it runs on.",
            "It was built in 1932. It has four lanes. I do not know who paid.",
            "\"Context\" does mention her.",
        ] {
            assert!(!is_refusal(answer), "{answer}");
        }
    }
}
