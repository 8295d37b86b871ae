"""What a virtual key is: whose, for what, until when; and when a description of one is valid."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from headgate.errors import ConflictError, InvalidRequestError
from headgate.gateway.caller import Role
from headgate.intake.access.networks import parse_network

KeyStatus = Literal["live", "expired", "revoked"]

MAX_PATTERNS = 100
MAX_NETWORKS = 100
MAX_OVERLAP_S = 30 * 86_400

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
# Only `*` is special, so that one pattern lies within another exactly if it matches it as text.
_PATTERN = re.compile(r"[A-Za-z0-9_.:/@*-]{1,128}")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual key as it is stored, without its secret. Times are microseconds since 1970 UTC."""

    id: str
    project: str
    name: str
    role: Role
    hint: str
    """The secret's last four characters, to tell keys apart; empty where it is too short."""
    models: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    created_at_us: int
    created_by: str
    """Id of the key that made it, or `command_line`, `environment` or `first_start`."""
    expires_at_us: int | None = None
    revoked_at_us: int | None = None
    replaced_by: str | None = None
    """Id of the key that it was rotated to."""

    def status_at(self, now_us: int) -> KeyStatus:
        """Whether the key opens anything at `now_us`."""
        if self.revoked_at_us is not None:
            return "revoked"
        if self.expires_at_us is not None and self.expires_at_us <= now_us:
            return "expired"
        return "live"


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is wanted."""

    project: str
    name: str
    role: Role = "app"
    models: tuple[str, ...] = ()
    """Patterns of models and routes, with `*` for anything; empty allows all."""
    workflows: tuple[str, ...] = ()
    """Patterns of workflows, with `*` for anything; empty allows all."""
    networks: tuple[str, ...] = ()
    """CIDRs that it may be used from; empty allows all."""
    expires_at_us: int | None = None


def checked(new: NewKey, now_us: int) -> NewKey:
    """`new` with its networks in canonical form; `InvalidRequestError` names the wrong field."""
    if not _NAME.fullmatch(new.name) or not new.name.strip():
        raise InvalidRequestError(
            "`name`: write 1 to 128 printable characters that tell what the key is for.",
            param="name",
        )
    if new.role not in get_args(Role):
        raise InvalidRequestError(f"`role`: use one of {', '.join(get_args(Role))}.", param="role")
    _check_patterns("models", new.models)
    _check_patterns("workflows", new.workflows)
    if len(new.networks) > MAX_NETWORKS:
        raise InvalidRequestError(
            f"`networks`: at most {MAX_NETWORKS} may be given.", param="networks"
        )
    check_expiry(new.expires_at_us, now_us)
    return msgspec.structs.replace(
        new,
        name=new.name.strip(),
        networks=tuple(
            _canonical_network(index, network) for index, network in enumerate(new.networks)
        ),
    )


def check_expiry(expires_at_us: int | None, now_us: int) -> None:
    """`InvalidRequestError` where a key would be born expired."""
    if expires_at_us is not None and expires_at_us <= now_us:
        raise InvalidRequestError(
            "`expires_at` lies in the past; give a later time, in seconds since 1970 UTC.",
            param="expires_at",
        )


def expiry_after_rotation(old: Key, *, now_us: int, overlap_s: int) -> int:
    """When `old` ends once it is rotated at `now_us`: after the overlap, never later than before.

    Raises `ConflictError` where the key no longer lives or was rotated before, and
    `InvalidRequestError` for an overlap that is negative or beyond `MAX_OVERLAP_S`.
    """
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        raise InvalidRequestError(
            f"`overlap_s`: give 0 to {MAX_OVERLAP_S} seconds.", param="overlap_s"
        )
    if old.replaced_by is not None:
        raise ConflictError(
            f"Key {old.id} was rotated already; rotate its successor {old.replaced_by}."
        )
    status = old.status_at(now_us)
    if status != "live":
        raise ConflictError(f"Key {old.id} is {status}; create a new key instead.")
    end_us = now_us + overlap_s * 1_000_000
    return end_us if old.expires_at_us is None else min(end_us, old.expires_at_us)


def _check_patterns(field: str, patterns: tuple[str, ...]) -> None:
    if len(patterns) > MAX_PATTERNS:
        raise InvalidRequestError(
            f"`{field}`: at most {MAX_PATTERNS} patterns may be given.", param=field
        )
    for index, pattern in enumerate(patterns):
        if not _PATTERN.fullmatch(pattern):
            raise InvalidRequestError(
                f"`{field}[{index}]`: write a name or a pattern of letters, digits, `_.:/@-` and"
                " `*` for anything, at most 128 characters.",
                param=f"{field}[{index}]",
            )


def _canonical_network(index: int, text: str) -> str:
    try:
        return str(parse_network(text))
    except ValueError:
        raise InvalidRequestError(
            f"`networks[{index}]`: write a CIDR such as 10.0.0.0/8 or 2001:db8::/32, with no bits"
            " set beyond the prefix.",
            param=f"networks[{index}]",
        ) from None
