"""Asks a running server with OpenAI's own client: `pip install openai; python openai_client.py http://127.0.0.1:8000/v1 [embedding model]`.

Ends with an error at the first answer that the client does not read as it should.
"""

import json
import sys
import time

import openai

base, embedder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
client = openai.OpenAI(base_url=base, api_key=sys.argv[3] if len(sys.argv) > 3 else "none", max_retries=0)
passed = 0


def check(name, holds, detail=""):
    global passed
    if not holds:
        raise SystemExit(f"{name}: {detail}")
    passed += 1
    print(f"ok {name}")


def refused(error, call, **fields):
    try:
        call(**fields)
    except error as refusal:
        return refusal
    raise SystemExit(f"not refused with {error.__name__}: {fields}")


def tools_are_taken():
    """Whether the chat template that the model is served with has a place for tools."""
    try:
        create(**greedy, tools=tools)
    except openai.BadRequestError as refusal:
        check("tools are refused", refusal.param == "tools", refusal)
        return False
    return True


models = client.models.list().data
model = models[0].id
check("models", client.models.retrieve(model).id == model)
error = refused(openai.NotFoundError, client.models.retrieve, model="no-such-model")
check("unknown model", error.code == "model_not_found" and error.param == "model", error)

messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "What is a trait?"}]
greedy = {"model": model, "messages": messages, "max_tokens": 16, "temperature": 0}
chat = client.chat.completions.create(**greedy)
text = chat.choices[0].message.content
check("chat", chat.object == "chat.completion" and text and chat.choices[0].message.role == "assistant")
check("usage", chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens)
check("created", abs(chat.created - time.time()) < 60)

chunks = list(client.chat.completions.create(**greedy, stream=True, stream_options={"include_usage": True}))
streamed = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
check("stream", streamed == text, (streamed, text))
check("stream usage", chunks[-1].usage.completion_tokens == chat.usage.completion_tokens and not chunks[-1].choices)
check("stream end", chunks[-2].choices[0].finish_reason == chat.choices[0].finish_reason)

scored = client.chat.completions.create(**greedy, logprobs=True, top_logprobs=3).choices[0].logprobs.content
check("logprobs", all(len(token.top_logprobs) == 3 and token.logprob <= 0 for token in scored))
spelt = b"".join(bytes(token.bytes) for token in scored)
check("bytes", spelt.decode(errors="replace").startswith(text), (spelt, text))

several = client.chat.completions.create(**{**greedy, "temperature": 1, "seed": 1}, n=3)
again = client.chat.completions.create(**{**greedy, "temperature": 1, "seed": 1}, n=3)
answers = [choice.message.content for choice in several.choices]
check("n", len(set(answers)) > 1 and len(answers) == 3)
check("seed", answers == [choice.message.content for choice in again.choices])

stop = text[4:8]
cut = client.chat.completions.create(**greedy, stop=[stop]).choices[0]
check("stop", cut.finish_reason == "stop" and cut.message.content == text[: text.index(stop)], cut)

extra = client.chat.completions.create(**greedy, extra_body={"top_k": 1, "min_tokens": 16, "ignore_eos": True})
check("vLLM's fields", extra.usage.completion_tokens == 16)

create = client.chat.completions.create
error = refused(openai.BadRequestError, create, **greedy, extra_body={"temprature": 1})
check("unknown field", error.param == "temprature" and "temperature" in error.message, error)
error = refused(openai.BadRequestError, create, model=model, messages=[{"role": "user", "content": "word " * 5000}])
check("too long", error.code == "context_length_exceeded" and error.status_code == 400, error)
refused(openai.NotFoundError, create, **{**greedy, "model": "no-such-model"})
passed += 1

properties = {"city": {"enum": ["Bern", "Rome"]}}
parameters = {"type": "object", "properties": properties, "required": ["city"], "additionalProperties": False}
schema = {"type": "json_schema", "json_schema": {"name": "place", "schema": parameters, "strict": True}}
shaped = create(model=model, messages=messages, response_format=schema, seed=2, max_tokens=200).choices[0]
check("JSON schema", shaped.finish_reason == "length" or json.loads(shaped.message.content)["city"] in ("Bern", "Rome"), shaped)
tools = [{"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": parameters}}]
if tools_are_taken():
    demand = {"model": model, "messages": messages, "tools": tools, "tool_choice": "required", "parallel_tool_calls": False, "seed": 1}
    called = create(**demand).choices[0]
    call = called.message.tool_calls[0]
    check("tools", called.finish_reason == "tool_calls" and json.loads(call.function.arguments)["city"] in ("Bern", "Rome"), called)
    deltas = [choice.delta for chunk in create(**demand, stream=True) for choice in chunk.choices]
    pieces = [piece for delta in deltas for piece in delta.tool_calls or []]
    check("tool stream", pieces[0].function.name == "weather", pieces)
    check("tool arguments", "".join(piece.function.arguments or "" for piece in pieces) == call.function.arguments, pieces)
    said = {"role": "assistant", "tool_calls": [call.model_dump()]}
    heard = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    check("tool result", create(**{**greedy, "messages": [*messages, said, heard]}, tools=tools).choices[0].message.content is not None)

completion = client.completions.create(model=model, prompt=["fn main() {", "struct A"], max_tokens=6, n=2, logprobs=2, echo=True)
check("completions", [choice.index for choice in completion.choices] == [0, 1, 2, 3])
check("echo", completion.choices[0].text.startswith("fn main() {") and completion.choices[2].text.startswith("struct A"))
check("completion logprobs", len(completion.choices[0].logprobs.tokens) == len(completion.choices[0].logprobs.text_offset))
pieces = client.completions.create(model=model, prompt="fn main() {", max_tokens=6, temperature=0, stream=True)
whole = client.completions.create(model=model, prompt="fn main() {", max_tokens=6, temperature=0)
check("completion stream", "".join(piece.choices[0].text for piece in pieces) == whole.choices[0].text)

if embedder:
    vectors = client.embeddings.create(model=embedder, input=["a text", "another"])  # base64 on the wire
    floats = client.embeddings.create(model=embedder, input=["a text"], encoding_format="float")
    near = max(abs(a - b) for a, b in zip(vectors.data[0].embedding, floats.data[0].embedding))
    check("embeddings", len(vectors.data) == 2 and near < 1e-5, near)

print(f"{passed} checks passed with openai {openai.__version__}")
