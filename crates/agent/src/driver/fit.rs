//! What came from outside, as a record can hold it: a record that cannot be written would end a run for ever, since it is tried again at each resume.

use jarre_core::{ChatResponse, Error, ErrorKind, Result, ToolOutput};
use serde::Serialize;
use serde_json::Value;

use crate::run::head_and_tail;

/// Bytes of JSON that are kept: a log takes 3 MiB at once.
const MOST: usize = 2 << 20;
/// Bytes of a text that is cut; none of them takes more than six in JSON.
const TEXT: usize = MOST / 8;
/// Bytes of a member that is kept of data which is too large as a whole.
const MEMBER: usize = 4 << 10;
/// Levels of data; JSON is read down to 128.
const DEPTH: usize = 100;

/// The output, without what cannot be kept: first members of its data that are large or deep, then the middle of its text, then all of its data.
pub(super) fn output(mut output: ToolOutput) -> ToolOutput {
    if fits(&output) {
        return output;
    }
    let is_small = |value: &Value| size(value) <= MEMBER && is_shallow(value, DEPTH - 1);
    output.data = match output.data.take() {
        Some(Value::Object(mut members)) => {
            members.retain(|_, member| is_small(member));
            Some(Value::Object(members))
        }
        other => other.filter(is_small),
    };
    if !fits(&output) {
        output.text = head_and_tail(&output.text, TEXT);
    }
    if !fits(&output) {
        output.data = None;
    }
    output
}

/// The answer.
///
/// # Errors
/// Where it is too large.
pub(super) fn answer(response: ChatResponse) -> Result<ChatResponse> {
    match size(&response) {
        0..=MOST => Ok(response),
        bytes => Err(Error::new(
            ErrorKind::InvalidResponse,
            format!("the model's answer of {bytes} bytes is over the {MOST} that are kept: limit its tokens"),
        )),
    }
}

fn fits(output: &ToolOutput) -> bool {
    output.data.as_ref().is_none_or(|data| is_shallow(data, DEPTH)) && size(output) <= MOST
}

fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| is_shallow(member, levels - 1)),
        _ => true,
    }
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

#[cfg(test)]
mod tests {
    use jarre_core::{FinishReason, Message, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::{Event, Record, SCHEMA, log};

    fn is_kept(output: &ToolOutput) -> bool {
        let event = Event::ToolFinished { key: "k".into(), output: output.clone(), took: std::time::Duration::ZERO };
        let record = Record { schema: SCHEMA, seq: 0, at: Timestamp::MIN, previous: String::new(), event };
        log::encode(&record).is_ok_and(|line| line.len() <= 3 << 20)
    }

    #[test]
    fn what_can_be_kept_stays_as_it_is() {
        let plain = ToolOutput::error("x".repeat(1 << 20)).with_data(json!({"paths": vec!["y"; 1000]}));
        assert_eq!(output(plain.clone()), plain);
    }

    #[test]
    fn what_is_large_or_deep_goes_and_what_tells_of_the_call_stays() {
        let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
        let fitted =
            output(ToolOutput::new("listed").with_data(json!({"changed": true, "deep": deep, "paths": vec!["p".repeat(4096); 1000]})));
        assert_eq!(fitted, ToolOutput::new("listed").with_data(json!({"changed": true})));
        assert!(is_kept(&fitted));
    }

    #[test]
    fn a_text_keeps_both_ends() {
        let fitted = output(ToolOutput::error(format!("first{}last", "\u{1}".repeat(4 << 20))));
        assert!(fitted.is_error && fitted.text.starts_with("first") && fitted.text.ends_with("last") && is_kept(&fitted));
    }

    #[test]
    fn many_small_members_go_together() {
        let members: Value = (0..1_000_000).map(|at| (at.to_string(), json!(at))).collect::<serde_json::Map<_, _>>().into();
        let fitted = output(ToolOutput::new("x").with_data(members));
        assert!(fitted.data.is_none() && is_kept(&fitted));
    }

    #[test]
    fn an_answer_that_is_too_large_is_an_error() {
        let said = |text: String| ChatResponse::new(Message::assistant(text), FinishReason::Stop);
        assert!(answer(said("x".repeat(1 << 20))).is_ok());
        let error = answer(said("x".repeat(3 << 20))).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidResponse && error.to_string().contains("limit its tokens"));
    }
}
