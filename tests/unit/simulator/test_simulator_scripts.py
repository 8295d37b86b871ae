"""A script decides what certain requests get, and says what is wrong with itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from headgate.simulator import Simulator, SimulatorConfig, serve_in_thread
from headgate.simulator.script import ScriptError

SCRIPT = """
- match: {endpoint: chat.completions, contains: [weather, oslo]}
  reply: {text: "It rains in Oslo."}
- match: {contains: twice}
  reply: {text: first, times: 1}
- match: {contains: twice}
  reply: {text: second, times: 1}
- match: {regex: "order [0-9]+"}
  reply: {json: {order: 7, state: sent}}
- match: {model: "gpt-4o*"}
  reply: {refusal: "Not with this model."}
- match: {header: {x-case: call}}
  reply:
    tool_calls:
      - {name: lookup, arguments: {id: 5}}
      - {name: notify}
- match: {endpoint: embeddings}
  reply: {error: {status: 429, code: rate_limit_exceeded, headers: {retry-after: "3"}}}
- match: {stream: true, contains: break it}
  reply: {text: a b c d e f, fault: "cut;after=2"}
- match: {contains: flaky}
  reply: {fault: 500 first}
"""


@pytest.fixture
def sdk(tmp_path: Path):
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    with (
        serve_in_thread(SimulatorConfig(script=str(path), tokens_per_s=0)) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k", max_retries=0) as client,
    ):
        yield client


@pytest.fixture
def say(sdk: openai.OpenAI) -> Callable[..., Any]:
    def said(text: str, model: str = "gpt-4.1", **more: Any) -> Any:
        messages: list[Any] = [{"role": "user", "content": text}]
        reply = sdk.chat.completions.create(model=model, messages=messages, **more)
        return reply.choices[0].message

    return said


def test_the_first_entry_that_matches_answers(say: Callable[..., Any]):
    assert say("What is the WEATHER in Oslo?").content == "It rains in Oslo."
    assert json.loads(say("Where is order 7731?").content) == {"order": 7, "state": "sent"}
    assert say("hello", model="gpt-4o-mini").refusal == "Not with this model."


def test_an_entry_answers_as_often_as_it_says(say: Callable[..., Any]):
    answers = [say("Say nothing twice").content for _ in range(3)]
    assert answers == ["first", "second", "nothing twice"]


def test_calls_are_scripted(sdk: openai.OpenAI, say: Callable[..., Any]):
    calls = say("x", extra_headers={"x-case": "call"}).tool_calls
    assert [(c.function.name, json.loads(c.function.arguments)) for c in calls] == [
        ("lookup", {"id": 5}),
        ("notify", {}),
    ]
    reply = sdk.responses.create(model="gpt-4.1", input="x", extra_headers={"x-case": "call"})
    assert [item.type for item in reply.output] == ["function_call", "function_call"]


def test_responses_follow_the_script_too(sdk: openai.OpenAI):
    reply = sdk.responses.create(model="gpt-4.1", input="order 12, please")
    assert json.loads(reply.output_text) == {"order": 7, "state": "sent"}


def test_errors_are_scripted(sdk: openai.OpenAI):
    with pytest.raises(openai.RateLimitError) as limited:
        sdk.embeddings.create(model="text-embedding-3-small", input="x")
    assert limited.value.response.headers["retry-after"] == "3"


def test_faults_are_scripted(sdk: openai.OpenAI, say: Callable[..., Any]):
    stream = sdk.chat.completions.create(
        model="gpt-4.1", messages=[{"role": "user", "content": "break it"}], stream=True
    )
    with pytest.raises(openai.APIConnectionError):
        list(stream)
    with pytest.raises(openai.InternalServerError):
        say("Say flaky")
    assert say("Say flaky").content == "flaky"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- match: {contins: x}\n  reply: {text: a}", ":1: entry 1: match: "),
        ("- match: {}\n  reply: {text: a}\n- match: {}\n  reply: {txt: a}", ":3: entry 2: reply: "),
        ("- match: {model: 5}\n  reply: {text: a}", "entry 1: match.model: "),
        ("- reply: {text: a}", "missing required field `match`"),
        ("- match: {}\n  reply: {}", "reply: says nothing"),
        ("- match: {}\n  reply: {text: a, refusal: b}", "has both text and refusal"),
        ("- match: {regex: '('}\n  reply: {text: a}", "match.regex: "),
        ("- match: {}\n  reply: {text: a, fault: explode}", "reply.fault: "),
        ("- match: {}\n  reply: {text: a, times: 0}", "reply.times: "),
        ("- match: {}\n  reply: {error: {status: 200}}", "reply.error.status: "),
        ("match: {}", "should be a list"),
        ("- [", "is not YAML"),
    ],
)
def test_a_mistake_names_file_line_entry_and_field(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ScriptError) as error:
        Simulator(SimulatorConfig(script=str(path)))
    assert str(error.value).startswith(str(path))
    assert complaint in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(ScriptError, match="cannot be read"):
        Simulator(SimulatorConfig(script=str(tmp_path / "none.yaml")))


def test_an_empty_file_scripts_nothing(tmp_path: Path):
    path = tmp_path / "empty.yaml"
    path.write_text("")
    Simulator(SimulatorConfig(script=str(path)))
