//! Bodies of requests: whatever is accepted is the same once it was written again, and what is refused says why. The same bytes are a
//! stream of events, which gives the same events in any cut.
#![no_main]

use std::fmt::Debug;

use jarre_openai::{
    ApiError, ChatCompletionRequest, ChunkReader, CompletionRequest, DetokenizeRequest, EmbeddingRequest, LoadLoraAdapterRequest,
    RerankRequest, ScoreRequest, StreamEvent, TokenizeRequest, UnloadLoraAdapterRequest, sse,
};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;

fuzz_target!(|bytes: &[u8]| {
    if let Some(request) = read(bytes, ChatCompletionRequest::from_json)
        && let Err(error) = request.to_core()
    {
        assert!(error.body.param.is_some(), "{error}");
    }
    read(bytes, CompletionRequest::from_json);
    read(bytes, EmbeddingRequest::from_json);
    read(bytes, TokenizeRequest::from_json);
    read(bytes, DetokenizeRequest::from_json);
    read(bytes, ScoreRequest::from_json);
    read(bytes, RerankRequest::from_json);
    read(bytes, LoadLoraAdapterRequest::from_json);
    read(bytes, UnloadLoraAdapterRequest::from_json);
    let _ = ApiError::from_response(400, bytes, None).kind();
    stream(bytes);
});

fn read<T: Debug + PartialEq + Serialize>(bytes: &[u8], parse: impl Fn(&[u8]) -> Result<T, ApiError>) -> Option<T> {
    match parse(bytes) {
        Err(error) => {
            assert!(error.status == 400 && !error.body.message.is_empty());
            None
        }
        Ok(request) => {
            let written = serde_json::to_vec(&request).expect("requests can be written as JSON");
            match parse(&written) {
                Ok(again) => assert_eq!(again, request),
                // The newer spelling of a constraint is one level deeper, and a text may hold a schema that is as deep as a request.
                Err(error) => assert!(error.body.message.contains("recursion limit"), "{error}"),
            }
            Some(request)
        }
    }
}

fn stream(bytes: &[u8]) {
    let whole = events(bytes, bytes.len().max(1));
    for cut in [1, 7] {
        assert_eq!(events(bytes, cut), whole);
    }
    let mut reader = ChunkReader::new();
    for event in whole.into_iter().flatten() {
        if let Ok(StreamEvent::Chunk(chunk)) = StreamEvent::parse(&event.data) {
            reader.read(*chunk);
        }
    }
}

/// The events of `bytes` in pieces of `cut`, and the error that ends them.
fn events(bytes: &[u8], cut: usize) -> Vec<Result<sse::Event, sse::EventTooLarge>> {
    let mut decoder = sse::Decoder::new(1024);
    bytes.chunks(cut).for_each(|piece| decoder.push(piece));
    decoder.finish();
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event() {
        let last = event.is_err();
        events.push(event);
        if last {
            break;
        }
    }
    events
}
