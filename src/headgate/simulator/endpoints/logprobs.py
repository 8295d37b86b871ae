"""Log probabilities of an answer's tokens: made up, but the same for the same answer."""

from __future__ import annotations

import hashlib
from typing import Any

from headgate.simulator.tokens import pieces

_OTHERS = (
    "the",
    " the",
    " a",
    " of",
    " and",
    " to",
    " in",
    " is",
    " that",
    " for",
    "\n",
    ".",
    ",",
    " it",
    " with",
    " as",
    " on",
    " was",
    " by",
    " an",
)


def token_logprobs(text: str, top: int) -> list[dict[str, Any]]:
    """For each token of `text` its probability and those of the `top` likeliest in its place."""
    return [_token(piece, place, top) for place, piece in enumerate(pieces(text))]


def _token(piece: str, place: int, top: int) -> dict[str, Any]:
    logprob = _logprob(f"{place}:{piece}")
    likeliest = [_shape(piece, logprob)]
    for other in _OTHERS:
        if other != piece:
            likeliest.append(_shape(other, likeliest[-1]["logprob"] - 0.6))
    return {**_shape(piece, logprob), "top_logprobs": likeliest[:top]}


def _shape(piece: str, logprob: float) -> dict[str, Any]:
    return {"token": piece, "logprob": round(logprob, 6), "bytes": list(piece.encode())}


def _logprob(key: str) -> float:
    share = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) / 2**32
    return -0.002 - 0.6 * share**3
