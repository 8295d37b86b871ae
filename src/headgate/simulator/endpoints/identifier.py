"""Identifiers in OpenAI's style: a prefix and random letters."""

from __future__ import annotations

import secrets


def new_id(prefix: str) -> str:
    """A fresh identifier such as `chatcmpl-8f2c…`; `prefix` brings its own separator."""
    return prefix + secrets.token_hex(16)
