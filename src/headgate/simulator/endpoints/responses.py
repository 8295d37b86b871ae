"""POST /v1/responses, and GET, DELETE, cancel and the input items of a stored one."""

from __future__ import annotations

import time
from typing import Any

from headgate.simulator.answer import Answer
from headgate.simulator.catalogue import Model, find_model
from headgate.simulator.conversation import Call, Task, Turn
from headgate.simulator.endpoints.response_items import listed_items, read_input
from headgate.simulator.endpoints.response_shape import completed, output_items, response_frame
from headgate.simulator.endpoints.response_store import StoredResponse
from headgate.simulator.endpoints.response_stream import stream_events
from headgate.simulator.endpoints.sampling import check_sampling
from headgate.simulator.endpoints.structured_output import read_format
from headgate.simulator.endpoints.tools import read_tool_choice, read_tools
from headgate.simulator.exchange import Exchange
from headgate.simulator.generation import generate
from headgate.simulator.reasoning import effort_of, reasoning_summary
from headgate.simulator.text.prose import subject_of
from headgate.simulator.wire.api_error import ApiError, invalid_value, missing_parameter
from headgate.simulator.wire.parameters import Parameter, check_metadata, check_parameters
from headgate.simulator.wire.reply import Reply, StreamReply, json_reply
from headgate.simulator.wire.request import JsonObject

_PARAMETERS = (
    Parameter("model", "string"),
    Parameter("background", "boolean"),
    Parameter("context_management", "any"),
    Parameter("conversation", "any"),
    Parameter("frequency_penalty", "number", minimum=-2, maximum=2),
    Parameter("include", "array"),
    Parameter("input", "any"),
    Parameter("instructions", "string"),
    Parameter("max_output_tokens", "integer", minimum=16),
    Parameter("max_tool_calls", "integer", minimum=1),
    Parameter("metadata", "object"),
    Parameter("moderation", "object"),
    Parameter("parallel_tool_calls", "boolean"),
    Parameter("presence_penalty", "number", minimum=-2, maximum=2),
    Parameter("previous_response_id", "string"),
    Parameter("prompt", "object"),
    Parameter("prompt_cache_key", "string"),
    Parameter("prompt_cache_options", "object"),
    Parameter("prompt_cache_retention", "string"),
    Parameter("reasoning", "object"),
    Parameter("safety_identifier", "string"),
    Parameter(
        "service_tier",
        "string",
        choices=("auto", "default", "flex", "scale", "priority", "fast"),
    ),
    Parameter("store", "boolean"),
    Parameter("stream", "boolean"),
    Parameter("stream_options", "object"),
    Parameter("temperature", "number", minimum=0, maximum=2),
    Parameter("text", "object"),
    Parameter("tool_choice", "any"),
    Parameter("tools", "array"),
    Parameter("top_logprobs", "integer", minimum=0, maximum=20),
    Parameter("top_p", "number", minimum=0, maximum=1),
    Parameter("truncation", "string", choices=("auto", "disabled")),
    Parameter("user", "string"),
)
_PROMPTS_MODEL = "gpt-4.1-mini"
_SUMMARIES = ("auto", "concise", "detailed")
PAGE_ITEMS = 20
"""How many input items are listed where the request names no limit."""

MAX_PAGE_ITEMS = 100
"""The most input items a request may ask for."""


def create_response(exchange: Exchange, _: str) -> Reply:
    """The response to the request's input, streamed or not; `ApiError` for a bad request."""
    body = exchange.body
    check_parameters(body, _PARAMETERS, refuse_unknown=exchange.refuse_unknown)
    check_metadata(body)
    model = find_model(_model(body), "text")
    reasoning = body.get("reasoning") or {}
    effort = effort_of(model, reasoning.get("effort"), "reasoning.effort")
    check_sampling(body, model, effort)
    before = previous_turns(exchange)
    given = body.get("input")
    if given is None and not before and not body.get("prompt"):
        raise missing_parameter("input")
    turns = (*_prompted(body), *before, *read_input([] if given is None else given, before))
    generation = generate(
        exchange,
        task := task_of(body, model, turns),
        model=model,
        effort=effort,
        choices=1,
        max_tokens=body.get("max_output_tokens"),
        messages_param="input",
    )
    answer = generation.answers[0]
    include = body.get("include") or []
    now = int(time.time())
    frame = response_frame(body, model, effort, now)
    output = output_items(
        answer,
        summary=_summary(reasoning, task),
        encrypted="reasoning.encrypted_content" in include,
        reasoned=generation.usage.reasoning_tokens > 0,
        top=_top_logprobs(body, include),
    )
    response = completed(frame, answer, output, generation.usage, now)
    _keep(exchange, response, turns, answer)
    total = generation.usage.total_tokens
    if body.get("stream"):
        return StreamReply(pieces=stream_events(frame, response), used_tokens=total)
    shown = {**frame, "status": "queued"} if frame["background"] else response
    return json_reply(shown, used_tokens=total)


def _model(body: JsonObject) -> str:
    """The model asked for: a stored prompt brings one where the request names none."""
    if body.get("model") is not None:
        return str(body["model"])
    if not body.get("prompt"):
        raise missing_parameter("model")
    return _PROMPTS_MODEL


def _prompted(body: JsonObject) -> tuple[Turn, ...]:
    """What a stored prompt says; any identifier is one of these."""
    prompt = body.get("prompt")
    if not prompt:
        return ()
    if not isinstance(prompt, dict) or not prompt.get("id"):
        raise missing_parameter("prompt.id")
    values = ", ".join(
        f"{name}: {value}" for name, value in (prompt.get("variables") or {}).items()
    )
    return (Turn(role="user", text=f"Answer as the prompt {prompt['id']} says. {values}".strip()),)


def get_response(exchange: Exchange, response_id: str) -> Reply:
    """The stored response of this id, streamed once more where that is asked for.

    `ApiError` 404 where there is none.
    """
    stored, request = _stored(exchange, response_id), exchange.request
    if request.query_value("stream") != "true":
        return json_reply(_shown(stored))
    after = request.query_value("starting_after")
    if after is not None and not after.isdigit():
        raise ApiError(400, "Invalid 'starting_after': not an integer.", param="starting_after")
    response = stored.body
    frame = {**response, "status": "in_progress", "output": [], "usage": None}
    pieces = stream_events({**frame, "completed_at": None, "incomplete_details": None}, response)
    return StreamReply(pieces=pieces if after is None else pieces[int(after) + 1 :])


def delete_response(exchange: Exchange, response_id: str) -> Reply:
    """Forget the stored response of this id; `ApiError` 404 where there is none."""
    _stored(exchange, response_id)
    exchange.memory.responses.remove(response_id)
    return json_reply({"id": response_id, "object": "response", "deleted": True})


def cancel_response(exchange: Exchange, response_id: str) -> Reply:
    """Stop a background response; `ApiError` 400 for one that was answered at once."""
    stored = _stored(exchange, response_id)
    if not stored.background:
        raise ApiError(400, "Cannot cancel a synchronous response.")
    if stored.status_at(time.monotonic()) == "in_progress":
        stored.body = {
            **stored.body,
            "status": "cancelled",
            "completed_at": None,
            "output": [],
            "usage": None,
        }
    return json_reply(_shown(stored))


def list_input_items(exchange: Exchange, response_id: str) -> Reply:
    """A page of the items that a stored response was made from."""
    stored = _stored(exchange, response_id)
    request = exchange.request
    items = list(stored.input_items)
    order = request.query_value("order") or "desc"
    if order not in ("asc", "desc"):
        raise invalid_value("order", order, ("asc", "desc"))
    if order == "desc":
        items.reverse()
    limit_text = request.query_value("limit") or str(PAGE_ITEMS)
    if not limit_text.isdigit() or not 1 <= int(limit_text) <= MAX_PAGE_ITEMS:
        raise ApiError(400, "Invalid 'limit': it must be 1 to 100.", param="limit")
    after = request.query_value("after")
    ids = [item["id"] for item in items]
    start = ids.index(after) + 1 if after in ids else 0
    page = items[start : start + int(limit_text)]
    return json_reply(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else "",
            "last_id": page[-1]["id"] if page else "",
            "has_more": start + len(page) < len(items),
        }
    )


def task_of(body: JsonObject, model: Model, turns: tuple[Turn, ...]) -> Task:
    """What a model is asked to do by `body`, after `turns`."""
    instructions = body.get("instructions")
    if instructions:
        turns = (Turn(role="system", text=instructions), *turns)
    said = "\n".join(turn.text for turn in turns)
    tools = read_tools(body, nested=False)
    text = body.get("text") or {}
    return Task(
        model=model.snapshot,
        turns=turns,
        tools=tools,
        tool_choice=read_tool_choice(body, tools, nested=False),
        parallel_calls=body.get("parallel_tool_calls") is not False,
        output=read_format(text.get("format"), "text.format", said, nested=False),
    )


def _summary(reasoning: dict[str, Any], task: Task) -> str | None:
    asked = reasoning.get("summary") or reasoning.get("generate_summary")
    if asked is None:
        return None
    if asked not in _SUMMARIES:
        raise invalid_value("reasoning.summary", asked, _SUMMARIES)
    return reasoning_summary(subject_of(task.source()), detailed=asked == "detailed")


def _top_logprobs(body: JsonObject, include: list[Any]) -> int | None:
    if "message.output_text.logprobs" not in include:
        return None
    return int(body.get("top_logprobs") or 0)


def previous_turns(exchange: Exchange) -> tuple[Turn, ...]:
    """What was said up to the response that this one goes on from; none where it begins."""
    previous = exchange.body.get("previous_response_id")
    if previous is None:
        return ()
    stored = exchange.memory.responses.get(previous)
    if stored is None:
        raise ApiError(
            400,
            f"Previous response with id '{previous}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return stored.turns


def _keep(
    exchange: Exchange, response: dict[str, Any], turns: tuple[Turn, ...], answer: Answer
) -> None:
    if exchange.body.get("store") is False and not response["background"]:
        return
    said = Turn(
        role="assistant",
        text=answer.refusal or answer.text,
        calls=tuple(
            Call(item["call_id"], item["name"], item["arguments"])
            for item in response["output"]
            if item["type"] == "function_call"
        ),
    )
    written = response["usage"]["output_tokens"]
    takes_s = written / exchange.tokens_per_s if exchange.tokens_per_s else 0.0
    exchange.memory.responses.add(
        StoredResponse(
            body=response,
            input_items=listed_items(exchange.body.get("input") or []),
            turns=(*turns, said),
            background=response["background"],
            ready_at_s=time.monotonic() + takes_s,
        )
    )


def _stored(exchange: Exchange, response_id: str) -> StoredResponse:
    stored = exchange.memory.responses.get(response_id)
    if stored is None:
        raise ApiError(404, f"Response with id '{response_id}' not found.")
    return stored


def _shown(stored: StoredResponse) -> dict[str, Any]:
    if stored.status_at(time.monotonic()) != "in_progress":
        return stored.body
    return {
        **stored.body,
        "status": "in_progress",
        "completed_at": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
    }
