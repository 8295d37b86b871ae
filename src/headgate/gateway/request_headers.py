"""What the `x-headgate-…` headers of a request say; what they can't say is refused."""

from __future__ import annotations

import re
from typing import get_args

from headgate.config.allowances import Priority
from headgate.config.routes import Complexity
from headgate.config.workflow import Trust
from headgate.errors import InvalidRequestError
from headgate.ledger.allowances.line import PRIORITIES

_FEATURE = re.compile(r"[\w./: -]{1,64}", re.ASCII)
_COMPLEXITIES: tuple[Complexity, ...] = get_args(Complexity)
_CACHE_TAG = re.compile(r"[\w./:-]{1,64}", re.ASCII)
_TAGS_AT_MOST = 8


def complexity_from(header: bytes) -> Complexity:
    """What `x-headgate-complexity` says; `InvalidRequestError` where it is none."""
    for known in _COMPLEXITIES:
        if header == known.encode():
            return known
    raise InvalidRequestError(
        "The header x-headgate-complexity takes low, medium or high.",
        param="x-headgate-complexity",
    )


def feature_from(header: bytes) -> str:
    """What `x-headgate-feature` says the cost is for; `InvalidRequestError` where it can't be."""
    feature = header.decode("latin-1")
    if not _FEATURE.fullmatch(feature):
        raise InvalidRequestError(
            "The header x-headgate-feature takes 1 to 64 letters, digits, spaces and ./:_-.",
            param="x-headgate-feature",
        )
    return feature


def trust_from(header: bytes) -> Trust:
    """What `x-headgate-trust` says; `InvalidRequestError` where it is neither.

    Where several have said something on the way, the strictest holds.
    """
    told = {one.strip() for one in header.split(b",")}
    if told == {b"trusted"}:
        return "trusted"
    if not told <= {b"trusted", b"untrusted"}:
        raise InvalidRequestError(
            "The header x-headgate-trust takes trusted or untrusted.", param="x-headgate-trust"
        )
    return "untrusted"


def priority_from(header: bytes) -> Priority:
    """What `x-headgate-priority` says; `InvalidRequestError` where it is none."""
    for priority in PRIORITIES:
        if header == priority.encode():
            return priority
    raise InvalidRequestError(
        f"The header x-headgate-priority takes one of {', '.join(PRIORITIES)}.",
        param="x-headgate-priority",
    )


def no_store_from(header: bytes | None) -> bool:
    """Whether `x-headgate-cache` says `no-store`; `InvalidRequestError` for anything else."""
    if header is None:
        return False
    if header.strip().lower() != b"no-store":
        raise InvalidRequestError(
            "The header x-headgate-cache takes `no-store`; leave it out to use the cache.",
            param="x-headgate-cache",
        )
    return True


def cache_tags_from(header: bytes) -> tuple[str, ...]:
    """What `x-headgate-cache-tag` lists; `InvalidRequestError` where it can't be tags."""
    tags = tuple(tag.strip() for tag in header.decode("latin-1").split(","))
    if len(tags) > _TAGS_AT_MOST or not all(map(_CACHE_TAG.fullmatch, tags)):
        raise InvalidRequestError(
            f"The header x-headgate-cache-tag takes up to {_TAGS_AT_MOST} names with commas"
            " between, each of 1 to 64 letters, digits and ./:_-.",
            param="x-headgate-cache-tag",
        )
    return tags
