"""Writes golden.json: what transformers renders of conversations that try a template, with each template of templates/.

    python make_chat_golden.py

Needs transformers (which brings tokenizers) and jinja2, no torch. Messages are kept in the form of `jarre_core::Message`, made from the
dictionaries here by `to_core`, so that the test also holds the way back to them. Schemas of tools have their keys in alphabetical order, which
is how serde_json has them without its feature `preserve_order`.
"""

import datetime
import json
import pathlib
import unittest.mock

import jinja2
import transformers
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2025, 3, 7, 9, 5, 3)
SPECIAL_TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def system(text):
    return {"role": "system", "content": text}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, *calls):
    message = {"role": "assistant"}
    if text is not None:
        message["content"] = text
    if calls:
        message["tool_calls"] = list(calls)
    return message


def call(id, name, arguments):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(id, name, text):
    return {"role": "tool", "tool_call_id": id, "name": name, "content": text}


def tool(name, description, properties, required):
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": in_order(parameters)}}


def in_order(value):
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


WEATHER = tool(
    "weather",
    "Tells the weather of a place.\nNeeds \"the place\" & a unit <°C>.",
    {
        "place": {"type": "string", "description": "City, e.g. `Göteborg`"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        "days": {"type": "array", "items": {"type": "integer"}},
    },
    ["place"],
)
SEARCH = tool(
    "search",
    "Searches.",
    {
        "query": {"type": ["string", "null"]},
        "filter": {"type": "object", "properties": {"tag": {"type": "string"}, "limit": {"type": "number", "default": 0.5}}},
    },
    [],
)
NOTHING = tool("ping", "Does nothing", {}, [])

SYNTAX = "{{ 7*7 }} {% raw %} {# c #} <|im_end|></s>[/INST] <|eot_id|>\n{%- set x = 1 %} ${x} \\n \\u0041"
UNICODE = "Ünïcödé 你好, мир! \U0001f468‍\U0001f469‍\U0001f467 e\u0301 \u202eRTL\u202c\ufeff \u2028 \u00a0nbsp\u3000"
BLANKS = " \t\n  padded \r\n inside  \n\n "
WEATHER_TALK = [
    system("Be brief."),
    user("How is the weather in Paris?"),
    assistant(None, call("abc123def", "weather", {"place": "Paris", "unit": "celsius"})),
    result("abc123def", "weather", '{"temperature": 21.5}'),
    assistant("It is 21.5 °C."),
    user("And in <b>\"Rome\"</b>?"),
]

CASES = {
    "one turn": [user("Why is the sky blue?")],
    "two turns": [user("Hi"), assistant("Hello!"), user("How are you?")],
    "answered": [user("Hi"), assistant("Hello!")],
    "system": [system("You are a pirate."), user("Hi"), assistant("Arr"), user("Go on")],
    "system only": [system("You are a pirate.")],
    "late system": [user("Hi"), system("Now be a pirate."), assistant("Arr"), user("Go on")],
    "empty": [system(""), user(""), assistant(""), user(" ")],
    "syntax": [system(SYNTAX), user(SYNTAX), assistant(SYNTAX), user(SYNTAX)],
    "unicode": [system(UNICODE), user(UNICODE), assistant(UNICODE), user(UNICODE)],
    "blanks": [system(BLANKS), user(BLANKS), assistant(BLANKS), user(BLANKS)],
    "thinking": [
        user("2 + 2?"),
        assistant("<think>\nTwo and two\n\nmake four.\n</think>\n\n4"),
        user("And 3 + 3?"),
        assistant("<think>\nSix.\n</think>\n\n6"),
    ],
    "tools": (WEATHER_TALK, [WEATHER, SEARCH, NOTHING]),
    "tools not used": ([user("Hi")], [SEARCH]),
    "calls without tools": WEATHER_TALK,
    "several calls": (
        [
            user("Compare"),
            assistant(
                "Let me look.",
                call("000000001", "weather", {"place": "Ås", "days": [1, 2], "unit": None, "nested": {"b": 1.0, "a": [True, {}, []]}}),
                call("000000002", "search", {"query": "\"quoted\" \\ <tag> & 'single'\n\u0007\u007f"}),
                call("000000003", "ping", {}),
            ),
            result("000000001", "weather", "cold"),
            result("000000002", "search", ""),
            result("000000003", "ping", "pong"),
            assistant("Cold."),
        ],
        [WEATHER, SEARCH],
    ),
    "short id": [user("Hi"), assistant(None, call("1", "ping", {})), result("1", "ping", "pong")],
    "users in a row": [user("Hi"), user("Anyone?")],
    "assistant first": [assistant("Welcome."), user("Thanks")],
    "many": [message for i in range(60) for message in (user(f"Question {i}?"), assistant(f"Answer {i}. " * (i % 5)))] + [user("?")],
    "no thinking": ([user("Hi")], None, {"enable_thinking": False}),
    "variables": (
        [system("S"), user("Hi")],
        [NOTHING],
        {
            "date_string": "1 Jan 2024",
            "functions_in_system": True,
            "extra": {"deep": [{"key": "ö", "number": 1e22, "none": None}]},
            "documents": [{"text": "D", "title": "T"}],
            "bos_token": "<other>",
        },
    ),
    "picture": [user([{"type": "text", "text": "What is "}, {"type": "image", "url": "https://example.org/a.png"}, {"type": "text", "text": "this?"}])],
}


def to_core(message):
    """A message as `jarre_core::Message` is serialised."""
    if message["role"] == "tool":
        answer = {"type": "tool_result", "call_id": message["tool_call_id"], "name": message["name"], "text": message["content"]}
        return {"role": "tool", "parts": [answer]}
    content = message.get("content", [])
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else []
    for part in content if isinstance(content, list) else []:
        parts.append(part if part["type"] == "text" else {"type": "image", "source": "url", "url": part["url"]})
    for made in message.get("tool_calls", []):
        arguments = json.dumps(made["function"]["arguments"], ensure_ascii=False)
        parts.append({"type": "tool_call", "id": made["id"], "name": made["function"]["name"], "arguments": arguments})
    return {"role": message["role"], "parts": parts}


def to_spec(tool):
    return {**tool["function"], "permission": "read"}


def render(tokenizer, template, messages, tools, variables, prompt):
    try:
        text = tokenizer.apply_chat_template(
            messages, tools=tools, chat_template=template, add_generation_prompt=prompt, tokenize=False, **variables
        )
        return {"text": text}
    except jinja2.exceptions.UndefinedError as error:
        return {"fails": f"{type(error).__name__}: {error}"}
    except jinja2.exceptions.TemplateError as error:
        return {"raises": str(error)}
    except (TypeError, AttributeError) as error:
        return {"fails": f"{type(error).__name__}: {error}"}


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>")), **SPECIAL_TOKENS)
    cases = []
    for name, case in CASES.items():
        messages, tools, variables = (*case, None, {})[:3] if isinstance(case, tuple) else (case, None, {})
        variables = variables if isinstance(variables, dict) else {}
        core = {"messages": [to_core(message) for message in messages], "tools": [to_spec(tool) for tool in tools or []]}
        cases.append({"name": name, **core, "variables": variables, "expected": {}})
        for path in sorted((HERE / "templates").glob("*.jinja")):
            both = [render(tokenizer, path.read_text(), messages, tools, variables, prompt) for prompt in (False, True)]
            cases[-1]["expected"][path.stem] = both
    golden = {
        "transformers": transformers.__version__,
        "jinja2": jinja2.__version__,
        "special_tokens": SPECIAL_TOKENS,
        "now": NOW.isoformat(),
        "now_unix_micros": int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000,
        "cases": cases,
    }
    (HERE / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    with unittest.mock.patch.object(chat_template_utils, "datetime", unittest.mock.Mock(now=lambda: NOW)):
        main()
