"""Whether a key may hand out, rotate or revoke another: never with more rights than its own."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from headgate.errors import NotFoundError, PermissionDeniedError
from headgate.intake.access.key import Key, NewKey
from headgate.intake.access.networks import Network, parse_network
from headgate.intake.access.reach import reaches
from headgate.intake.access.roles import RIGHTS


def allowed_to_create(creator: Key, new: NewKey) -> NewKey:
    """`new`, ending no later than its creator; `PermissionDeniedError` where it would be wider."""
    if not reaches(creator.role, creator.project, new.project):
        raise PermissionDeniedError(
            f"Your key reaches only project `{creator.project}`; create the key there, or ask an"
            " administrator.",
            param="project",
        )
    if new.role not in RIGHTS[creator.role].creates:
        makes = ", ".join(sorted(RIGHTS[creator.role].creates)) or "no"
        raise PermissionDeniedError(
            f"A key of role {creator.role} may create {makes} keys, not {new.role}; ask an"
            " administrator.",
            param="role",
        )
    for field in ("models", "workflows"):
        _check_patterns(field, getattr(creator, field), getattr(new, field))
    _check_networks(creator.networks, new.networks)
    return _ending_with(creator, new)


def allowed_to_rotate(actor: Key, key: Key, expires_at_us: int | None) -> int | None:
    """When the successor of `key` may end, None for never; raises as `allowed_to_create` does.

    `expires_at_us` is what was asked for; None keeps the end of `key`. A key may rotate itself if
    it manages keys at all, but not to outlive what it was.
    """
    check_reach(actor, key)
    wanted = NewKey(
        project=key.project,
        name=key.name,
        role=key.role,
        models=key.models,
        workflows=key.workflows,
        networks=key.networks,
        expires_at_us=key.expires_at_us if expires_at_us is None else expires_at_us,
    )
    if actor.id == key.id:
        return _ending_with(actor, wanted).expires_at_us
    return allowed_to_create(actor, wanted).expires_at_us


def check_may_revoke(actor: Key, key: Key) -> None:
    """Raise unless `actor` may end `key`; every key that manages keys may end itself."""
    check_reach(actor, key)
    if actor.id != key.id and key.role not in RIGHTS[actor.role].revokes:
        raise PermissionDeniedError(
            f"A key of role {actor.role} may not revoke keys of role {key.role}; ask an"
            " administrator."
        )


def check_reach(actor: Key, key: Key) -> None:
    """`NotFoundError` where `key` is beyond the actor's reach: it must not learn that it exists."""
    if not reaches(actor.role, actor.project, key.project):
        raise NotFoundError(f"There is no key `{key.id}` here.", param="id")


def is_within(pattern: str, patterns: tuple[str, ...]) -> bool:
    """Whether all that `pattern` matches is matched by one of `patterns`; none allow all."""
    # `*` in `pattern` can only be matched by a `*`, so matching it as text is enough.
    return not patterns or any(fnmatchcase(pattern, wider) for wider in patterns)


def _ending_with(creator: Key, new: NewKey) -> NewKey:
    if creator.expires_at_us is None:
        return new
    if new.expires_at_us is None:
        return msgspec.structs.replace(new, expires_at_us=creator.expires_at_us)
    if new.expires_at_us > creator.expires_at_us:
        raise PermissionDeniedError(
            "A key cannot make one that outlives it; give an earlier `expires_at`.",
            param="expires_at",
        )
    return new


def _check_patterns(field: str, own: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    if not own:
        return
    if not wanted:
        raise PermissionDeniedError(
            f"Your key is limited to {field} {', '.join(own)}; name `{field}` within these.",
            param=field,
        )
    for index, pattern in enumerate(wanted):
        if not is_within(pattern, own):
            raise PermissionDeniedError(
                f"`{field}[{index}]`: your key is limited to {', '.join(own)}.",
                param=f"{field}[{index}]",
            )


def _check_networks(own: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    if not own:
        return
    if not wanted:
        raise PermissionDeniedError(
            f"Your key is limited to networks {', '.join(own)}; name `networks` within these.",
            param="networks",
        )
    limits = [parse_network(text) for text in own]
    for index, text in enumerate(wanted):
        network = parse_network(text)
        if not any(_is_subnet(network, limit) for limit in limits):
            raise PermissionDeniedError(
                f"`networks[{index}]`: your key is limited to {', '.join(own)}.",
                param=f"networks[{index}]",
            )


def _is_subnet(network: Network, limit: Network) -> bool:
    return (
        network.version == limit.version
        and network.network_address in limit
        and network.prefixlen >= limit.prefixlen
    )
