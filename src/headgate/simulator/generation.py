"""A task carried out: the answers, and what they cost in tokens."""

from __future__ import annotations

import msgspec

from headgate.simulator import tokens
from headgate.simulator.answer import Answer, Usage
from headgate.simulator.author import limited, write_answer
from headgate.simulator.catalogue import Effort, Model
from headgate.simulator.conversation import Task, prompt_tokens
from headgate.simulator.exchange import Exchange
from headgate.simulator.faults.twist import twisted
from headgate.simulator.judge import judgement
from headgate.simulator.reasoning import reasoning_tokens
from headgate.simulator.wire.api_error import context_length_exceeded


class Generation(msgspec.Struct, frozen=True):
    """What the model gives for a task."""

    answers: tuple[Answer, ...]
    usage: Usage


def generate(
    exchange: Exchange,
    task: Task,
    *,
    model: Model,
    effort: Effort | None,
    choices: int,
    max_tokens: int | None,
    messages_param: str,
) -> Generation:
    """`choices` answers to `task`.

    `max_tokens` limits each answer with its reasoning. Raises `ApiError` 400 for a prompt beyond
    the model's context window, naming `messages_param`.
    """
    prompt = prompt_tokens(task)
    if len(prompt) > model.context_tokens:
        raise context_length_exceeded(model.context_tokens, len(prompt), messages_param)
    limit = min(model.max_output_tokens, max_tokens or model.max_output_tokens)
    thought = reasoning_tokens(effort, len(prompt), limit)
    task = msgspec.structs.replace(task, max_tokens=limit - thought)
    answers = tuple(_answer(exchange, task, index) for index in range(choices))
    written = sum(tokens.counted(part) for answer in answers for part in answer.parts)
    return Generation(
        answers=answers,
        usage=Usage(
            input_tokens=len(prompt),
            cached_tokens=exchange.memory.prompts.recall(model.snapshot, prompt),
            output_tokens=written + thought * choices,
            reasoning_tokens=thought * choices,
        ),
    )


def _answer(exchange: Exchange, task: Task, index: int) -> Answer:
    judged = judgement(task)
    # Who has to give a number can't be made to say or do anything else.
    gullible = None if judged is not None else exchange.gullible
    obeyed = None if gullible is None else gullible.answer(task)
    if exchange.scripted is not None:
        answer = limited(exchange.scripted, task.max_tokens)
    elif judged is not None:
        answer = limited(judged, task.max_tokens)
    elif obeyed is not None:
        answer = limited(obeyed, task.max_tokens)
    else:
        answer = write_answer(task, index)
    return answer if exchange.twist is None else twisted(answer, exchange.twist, task)
