"""How much of a prompt was seen before, counted as OpenAI counts cached tokens.

A prompt of 1,024 tokens or more leaves its prefixes here; the next that begins alike is told how
many of its tokens were cached, in steps of 128.
"""

from __future__ import annotations

import array
import hashlib
from collections import OrderedDict

FIRST_TOKENS = 1_024
"""The shortest prefix that is cached."""

STEP_TOKENS = 128
"""Prefixes end at multiples of this."""

MAX_PREFIXES = 50_000
"""How many prefixes are remembered; beyond it the one unused longest is forgotten."""


class PromptCache:
    """The prefixes of the prompts seen lately."""

    def __init__(self, max_prefixes: int = MAX_PREFIXES) -> None:
        self._max_prefixes = max_prefixes
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def recall(self, scope: str, tokens: list[int]) -> int:
        """How many leading `tokens` were seen in `scope` (a model); they are remembered now."""
        cached_tokens = 0
        unbroken = True
        digest = hashlib.blake2b(scope.encode(), digest_size=16)
        start = 0
        for end in range(FIRST_TOKENS, len(tokens) + 1, STEP_TOKENS):
            digest.update(array.array("I", tokens[start:end]).tobytes())
            start = end
            prefix = digest.copy().digest()
            if unbroken and prefix in self._seen:
                cached_tokens = end
            else:
                unbroken = False
            self._seen[prefix] = None
            self._seen.move_to_end(prefix)
        while len(self._seen) > self._max_prefixes:
            self._seen.popitem(last=False)
        return cached_tokens
