"""The kinds of objects that a provider keeps and that belong to whoever made them."""

from __future__ import annotations

import re
from typing import Literal, get_args

Kind = Literal[
    "file",
    "upload",
    "batch",
    "conversation",
    "vector_store",
    "fine_tuning_job",
    "container",
    "eval",
    "chat_completion",
    "fine_tuned_model",
    "video",
    "video_character",
    "skill",
]
"""What stands below one of these (an upload's parts, a conversation's items, a vector store's
files, an eval's runs, a skill's versions) belongs to whom the whole belongs."""

IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~+-]{0,127}", re.ASCII)
"""What a provider may call an object: nothing that could lead to another address."""

KINDS: frozenset[str] = frozenset(get_args(Kind))
