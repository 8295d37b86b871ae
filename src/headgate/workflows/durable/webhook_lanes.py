"""Which webhooks may be sent now: addresses that keep us waiting wait for each other only.

A policy. An address is slow once a post to it has taken longer than `QUICK_S`, until one arrives
within it. Slow ones have room of their own, each for one post at a time, so that those that hang
delay neither the quick ones nor, however much they are to be told, each other.
"""

from __future__ import annotations

from dataclasses import dataclass

QUICK_S = 0.5
QUICK_AT_ONCE = 8
SLOW_AT_ONCE = 24

_SLOW_KNOWN = 256
"""Slow addresses that are remembered; of more, those found out first are taken for quick again."""


@dataclass(frozen=True, slots=True)
class _Post:
    url: str
    began_s: float


class Lanes:
    """What is on its way, and which addresses are slow."""

    def __init__(self) -> None:
        self._posts: dict[str, _Post] = {}
        self._slow: dict[str, None] = {}

    def began(self, message_id: str, url: str, now_s: float) -> None:
        """A post begins."""
        self._posts[message_id] = _Post(url, now_s)

    def ended(self, message_id: str, now_s: float) -> None:
        """A post is over, whatever came of it."""
        post = self._posts.pop(message_id)
        if now_s - post.began_s > QUICK_S:
            self._note_slow(post.url)
        else:
            self._slow.pop(post.url, None)

    def look(self, now_s: float) -> None:
        """Note whose posts have been under way for too long to be quick."""
        for post in self._posts.values():
            if now_s - post.began_s > QUICK_S:
                self._note_slow(post.url)

    @property
    def slow(self) -> tuple[str, ...]:
        """The addresses that are not to be told with the quick ones."""
        return tuple(self._slow)

    @property
    def quick_room(self) -> int:
        """How many more may be sent to others than those."""
        under_way = sum(post.url not in self._slow for post in self._posts.values())
        return max(0, QUICK_AT_ONCE - under_way)

    @property
    def slow_free(self) -> tuple[str, ...]:
        """The slow addresses to which nothing is under way."""
        busy = {post.url for post in self._posts.values()}
        return tuple(url for url in self._slow if url not in busy)

    @property
    def slow_room(self) -> int:
        """How many of those may be sent to, one message each."""
        under_way = sum(post.url in self._slow for post in self._posts.values())
        return max(0, SLOW_AT_ONCE - under_way)

    def _note_slow(self, url: str) -> None:
        if url not in self._slow:
            while len(self._slow) >= _SLOW_KNOWN:
                del self._slow[next(iter(self._slow))]
            self._slow[url] = None
