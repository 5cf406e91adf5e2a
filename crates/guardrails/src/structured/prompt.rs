use jarre_core::{Capability, ChatRequest, Message, ModelInfo, ResponseFormat, Role};
use serde_json::Value;

/// Puts the schema where the model takes it: into the request where it can be held to one, else into the instructions, with the promise of
/// an object where the model can keep that.
pub(super) fn with_schema(request: ChatRequest, info: &ModelInfo, name: &str, schema: &Value) -> ChatRequest {
    if info.can(Capability::JsonSchema) {
        return request.with_response_format(ResponseFormat::JsonSchema { name: name.to_owned(), schema: schema.clone() });
    }
    let object = info.can(Capability::JsonObject) && schema.get("type").and_then(Value::as_str) == Some("object");
    let format = if object { ResponseFormat::JsonObject } else { ResponseFormat::Text };
    let mut request = request.with_response_format(format);
    let instruction = format!(
        "Answer with one JSON document that this JSON Schema allows, and with nothing before or after it: no explanation, no code fence.\n\
         {schema}"
    );
    // After the operator's own instructions, before the conversation.
    let place = request.messages.iter().take_while(|message| message.role == Role::System).count();
    request.messages.insert(place, Message::system(instruction));
    request
}

/// The question again, with the answer that did not fit and what is wrong with it.
pub(super) fn again(request: ChatRequest, answer: String, complaints: &[String]) -> ChatRequest {
    let list = complaints.join("\n- ");
    let demand = format!(
        "That answer does not fit the schema:\n- {list}\nMend this and answer with the whole JSON document again, and nothing else."
    );
    // Some models refuse an empty turn.
    let answer = if answer.is_empty() { "(no text)".to_owned() } else { answer };
    request.with_message(Message::assistant(answer)).with_message(Message::user(demand))
}
