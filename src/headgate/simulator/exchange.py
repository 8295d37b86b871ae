"""What an endpoint is handed: the request, and what the simulator remembers and was told to do."""

from __future__ import annotations

import msgspec

from headgate.simulator.answer import Answer
from headgate.simulator.endpoints.object_store import ObjectStore
from headgate.simulator.endpoints.response_store import ResponseStore
from headgate.simulator.faults.fault import AnswerTwist
from headgate.simulator.gullible import Gullible
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.wire.request import JsonObject, Request


class Memory(msgspec.Struct, frozen=True):
    """What lasts from one request to the next."""

    prompts: PromptCache
    responses: ResponseStore
    objects: ObjectStore


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request on its way through an endpoint."""

    request: Request
    body: JsonObject
    """The request's body; empty for a GET."""
    memory: Memory
    refuse_unknown: bool = False
    """Whether fields that the API doesn't have are refused."""
    scripted: Answer | None = None
    """The answer a script gives, instead of one made up."""
    gullible: Gullible | None = None
    """Who reads attacks and obeys them, where the model is to be that."""
    twist: AnswerTwist | None = None
    """What is wrong with the answer on purpose."""
    tokens_per_s: float = 0.0
    """How fast the model writes; 0 for at once."""
