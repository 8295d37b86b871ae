"""Which of a provider's keys a request is made with. Pure: the clock is handed in.

The key with most room is picked. Rooms that are declared hold for all of a key's models together;
what the provider says itself (the limits in its headers, how long to stay away) is about the one
model that was asked. A key that the provider refuses leaves the pool and comes back when a probe
has been answered; who probes is `probe.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from hashlib import sha256

import msgspec

from headgate.config.provider_keys import ProviderKeySettings
from headgate.gateway.keys.room import Room
from headgate.gateway.retries.hints import Header, duration_s

DEFAULT_KEY = "default"
"""What a pool calls the key that stands in `api_key`."""

_MINUTE_S = 60.0
_DAY_S = 86_400.0
_LONGEST_PROBE_S = 300.0
LONGEST_REST_S = 300.0
"""After which one that said to stay away is asked again, whatever it said: who spent a day's tokens
may have bought more, and others' room may do for a smaller request."""
_MOST_MODELS = 256
"""Of how many models a key remembers what was said; of more, the one heard of first is forgotten.

Clients can name what models they like where no route is in between."""


class ProviderKey(msgspec.Struct, frozen=True):
    """One way to be let in by a provider."""

    name: str | None
    """None: the provider's only one."""
    secret: bytes | None
    """What may never be shown; None where there is nothing, or too little to be found again."""
    headers: bytes
    """The header lines of every request in JSON that is made with it."""
    bare_headers: bytes = b""
    """The same without the content's type."""


class _Told:
    """What a provider has said of one model for one key."""

    __slots__ = ("requests", "rests_until_s", "tokens")

    def __init__(self) -> None:
        self.rests_until_s = float("-inf")
        """Until when the key is taken for used up, as a reply with 429 says."""
        self.requests: Room | None = None
        self.tokens: Room | None = None


class PooledKey:
    """A key, its limits, and whether it may be used."""

    def __init__(self, key: ProviderKey, settings: ProviderKeySettings | None) -> None:
        self.key = key
        self.out = False
        self.strikes = 0
        """How often it was refused since a call was last answered with it."""
        self.probe_at_s = 0.0
        self.picks = 0
        self._requests: list[Room] = []
        self._tokens: list[Room] = []
        self._told: dict[str, _Told] = {}
        if settings is not None:
            if settings.rpm is not None:
                self._requests.append(Room(settings.rpm, _MINUTE_S))
            if settings.tpm is not None:
                self._tokens.append(Room(settings.tpm, _MINUTE_S))
            if settings.tpd is not None:
                self._tokens.append(Room(settings.tpd, _DAY_S))

    def share_after(self, model: str, tokens: int, now_s: float) -> float:
        """The smallest share of a limit that would be left after one request of `tokens`."""
        if self.rests(model, now_s):
            return -1.0
        share = 1.0
        for room, amount in self._rooms(model, tokens):
            share = min(share, room.share_after(amount, now_s))
        return share

    def rests(self, model: str, now_s: float) -> bool:
        """Whether the provider has said to come back with it later than now."""
        told = self._told.get(model)
        return told is not None and now_s < told.rests_until_s

    def take(self, model: str, tokens: int, now_s: float) -> None:
        """Count one request of `tokens`."""
        self.picks += 1
        for room, amount in self._rooms(model, tokens):
            room.take(amount, now_s)

    def rest(self, model: str, until_s: float) -> None:
        """Take it for used up by `model` until then."""
        self._of(model).rests_until_s = until_s

    def learn(self, model: str, header: Header, now_s: float) -> None:
        """Take in what a reply's headers say of the limits."""
        told = self._of(model)
        told.requests = _learnt(told.requests, b"requests", header, now_s)
        told.tokens = _learnt(told.tokens, b"tokens", header, now_s)

    def _of(self, model: str) -> _Told:
        told = self._told.get(model)
        if told is None:
            if len(self._told) >= _MOST_MODELS:
                del self._told[next(iter(self._told))]
            told = self._told[model] = _Told()
        return told

    def _rooms(self, model: str, tokens: int) -> Iterator[tuple[Room, int]]:
        """Each limit that a request takes of, and how much."""
        for room in self._requests:
            yield room, 1
        for room in self._tokens:
            yield room, tokens
        told = self._told.get(model)
        if told is not None:
            if told.requests is not None:
                yield told.requests, 1
            if told.tokens is not None:
                yield told.tokens, tokens


class KeyPool:
    """The keys of one provider."""

    def __init__(self, keys: Collection[PooledKey], *, probe_s: float) -> None:
        self._keys = {key.key.name: key for key in keys}
        self._probe_s = probe_s

    def pick(
        self, model: str, tokens: int, now_s: float, without: Collection[str | None] = ()
    ) -> ProviderKey | None:
        """The key with most room for a request of `tokens`, counted; None where none is in."""
        best, best_rank = None, (float("-inf"), 0)
        for key in self._keys.values():
            if key.out or key.key.name in without:
                continue
            # Of equals, the one that was picked least often.
            rank = (key.share_after(model, tokens, now_s), -key.picks)
            if best is None or rank > best_rank:
                best, best_rank = key, rank
        if best is None:
            return None
        best.take(model, tokens, now_s)
        return best.key

    def named(self, name: str, model: str, tokens: int, now_s: float) -> ProviderKey | None:
        """The key of that name, counted; None where there is none or it is out."""
        key = self._keys.get(name)
        if key is None or key.out:
            return None
        key.take(model, tokens, now_s)
        return key.key

    def any_key(self) -> ProviderKey:
        """One that is in, or else any: for what is no call."""
        return next(
            (k for k in self._keys.values() if not k.out), next(iter(self._keys.values()))
        ).key

    def home_of(self, project: str, without: Collection[str | None] = ()) -> ProviderKey | None:
        """The key that makes a project's new objects; None where none is in.

        Always the same one while it is in, whichever process asks, because what different keys
        made can't be named together. Another key, or one less, moves as few projects as can be.
        """
        inside = [
            pooled.key
            for pooled in self._keys.values()
            if not pooled.out and pooled.key.name not in without
        ]
        return max(
            inside,
            key=lambda key: sha256(f"{project}\0{key.name}".encode()).digest(),
            default=None,
        )

    def keeper(self, name: str | None) -> ProviderKey | None:
        """The key of that name, in or out; None where there is none.

        Without a name: what was made before there was a pool, by the key that stands alone.
        """
        if name is None:
            name = DEFAULT_KEY if DEFAULT_KEY in self._keys else next(iter(self._keys))
        pooled = self._keys.get(name)
        return None if pooled is None else pooled.key

    @property
    def names(self) -> tuple[str | None, ...]:
        """Its keys, as they are written."""
        return tuple(self._keys)

    def has_room(
        self, model: str, tokens: int, now_s: float, without: Collection[str | None]
    ) -> bool:
        """Whether another key is in and has room for `tokens`."""
        return any(
            not key.out
            and key.key.name not in without
            and key.share_after(model, tokens, now_s) >= 0
            for key in self._keys.values()
        )

    def rests(self, model: str, now_s: float) -> bool:
        """Whether the provider has said of every key that is in to come back later than now."""
        return all(key.out or key.rests(model, now_s) for key in self._keys.values())

    def has_other(self, without: Collection[str | None]) -> bool:
        """Whether another key is in."""
        return any(not key.out and key.key.name not in without for key in self._keys.values())

    def learn(
        self, key: ProviderKey, model: str, header: Header, now_s: float, *, answered: bool
    ) -> None:
        """Take in a reply's headers; one that `answered` a request shows that the key is good."""
        pooled = self._keys[key.name]
        pooled.learn(model, header, now_s)
        if answered:
            pooled.strikes = 0

    def rest(self, key: ProviderKey, model: str, pause_s: float, now_s: float) -> None:
        """Note that the provider refused a request for its rate limit."""
        self._keys[key.name].rest(model, now_s + min(pause_s, LONGEST_REST_S))

    def take_out(self, key: ProviderKey, now_s: float) -> bool:
        """Stop using a key that was refused; return whether it was in."""
        pooled = self._keys[key.name]
        if pooled.out:
            return False
        pooled.out = True
        self._strike(pooled, now_s)
        return True

    def due(self, now_s: float) -> list[ProviderKey]:
        """The keys that are out and should be probed now."""
        return [k.key for k in self._keys.values() if k.out and now_s >= k.probe_at_s]

    def probed(self, key: ProviderKey, now_s: float, *, good: bool) -> None:
        """Note how a probe ended: the key is back, or tried again after twice as long."""
        pooled = self._keys[key.name]
        if good:
            # Its strikes stay until a call was answered: a list of models is also given to a key
            # whose account is empty.
            pooled.out = False
        else:
            self._strike(pooled, now_s)

    @property
    def out_count(self) -> int:
        """How many keys are out."""
        return sum(key.out for key in self._keys.values())

    def _strike(self, pooled: PooledKey, now_s: float) -> None:
        pause_s = min(self._probe_s * 2.0 ** min(pooled.strikes, 30), _LONGEST_PROBE_S)
        pooled.strikes += 1
        pooled.probe_at_s = now_s + max(pause_s, self._probe_s)


def _learnt(room: Room | None, kind: bytes, header: Header, now_s: float) -> Room | None:
    """The room as a reply's headers tell of it; as it was where they don't."""
    limit = _count(header(b"x-ratelimit-limit-" + kind))
    left = _count(header(b"x-ratelimit-remaining-" + kind))
    if not limit or left is None:
        return room
    if room is None:
        room = Room(limit, _MINUTE_S)
    room.learn(limit, left, duration_s(header(b"x-ratelimit-reset-" + kind)), now_s)
    return room


def _count(text: bytes | None) -> int | None:
    return int(text) if text is not None and text.isdigit() and len(text) <= 15 else None
