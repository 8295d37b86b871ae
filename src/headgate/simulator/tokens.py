"""How many tokens a text has, and where it may be cut.

The tables are loaded at the first use, not at import: they take 50 ms and 30 MB.
"""

from __future__ import annotations

import functools
from typing import Any

MESSAGE_OVERHEAD_TOKENS = 3
"""What the frame of one message costs in a prompt."""

PRIMING_TOKENS = 3
"""What the start of the answer costs at the end of a prompt."""

EMBEDDING_TOKENS = 100_256
"""How many tokens the embedding models' table has, special ones aside."""

IMAGE_TOKENS = {"low": 85, "high": 765, "auto": 765}
"""What an image costs by its `detail`, taken as 1024 by 1024."""


@functools.cache
def _text_tokenizer() -> Any:
    from rs_bpe.bpe import openai  # noqa: PLC0415 - the tables are heavy

    return openai.o200k_base()


@functools.cache
def _embedding_tokenizer() -> Any:
    from rs_bpe.bpe import openai  # noqa: PLC0415 - the tables are heavy

    return openai.cl100k_base()


def encoded(text: str) -> list[int]:
    """The tokens of `text` for models that answer in text."""
    tokens: list[int] = _text_tokenizer().encode(text)
    return tokens


def counted(text: str) -> int:
    """How many tokens `text` has for models that answer in text."""
    return int(_text_tokenizer().count(text)) if text else 0


def pieces(text: str) -> list[str]:
    """`text` cut where tokens end.

    Tokens that share one character, as those of an emoji do, stay together in one piece.
    """
    tokenizer = _text_tokenizer()
    cut: list[str] = []
    waiting: list[int] = []
    for token in tokenizer.encode(text):
        waiting.append(token)
        piece = tokenizer.decode(waiting)
        if piece is not None:
            cut.append(piece)
            waiting = []
    return cut


def shortened(text: str, max_tokens: int) -> str:
    """The longest beginning of `text` that has at most `max_tokens` tokens."""
    tokens = encoded(text)
    if len(tokens) <= max_tokens:
        return text
    tokenizer = _text_tokenizer()
    for length in range(max_tokens, 0, -1):
        start = tokenizer.decode(tokens[:length])
        if start is not None:
            return str(start)
    return ""


def embedding_encoded(text: str) -> list[int]:
    """The tokens of `text` for embedding models."""
    tokens: list[int] = _embedding_tokenizer().encode(text)
    return tokens


def embedding_decoded(tokens: list[int]) -> str | None:
    """The text of an embedding model's tokens; None where they are no text."""
    # The tokenizer's library reads outside of its memory for a token that isn't in its table.
    if not all(0 <= token < EMBEDDING_TOKENS for token in tokens):
        return None
    text = _embedding_tokenizer().decode(tokens)
    return None if text is None else str(text)
