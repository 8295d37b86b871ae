"""How many requests and tokens a key has left, as OpenAI's `x-ratelimit-*` headers tell it.

Pure: a clock's reading goes in, a decision comes out.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

MAX_PAIRS = 1_000
"""How many pairs of key and model are remembered; beyond it the one unused longest is fresh."""


class Limits(msgspec.Struct, frozen=True):
    """What is left after a request was counted."""

    limit_requests: int
    limit_tokens: int
    remaining_requests: int
    remaining_tokens: int
    reset_requests_s: float
    reset_tokens_s: float
    retry_after_s: float
    """How long until the request would be within its limits; 0 where it is."""

    def headers(self) -> tuple[tuple[str, str], ...]:
        """OpenAI's headers for these figures."""
        return (
            ("x-ratelimit-limit-requests", str(self.limit_requests)),
            ("x-ratelimit-limit-tokens", str(self.limit_tokens)),
            ("x-ratelimit-remaining-requests", str(self.remaining_requests)),
            ("x-ratelimit-remaining-tokens", str(self.remaining_tokens)),
            ("x-ratelimit-reset-requests", _duration(self.reset_requests_s)),
            ("x-ratelimit-reset-tokens", _duration(self.reset_tokens_s)),
        )


class _Bucket(msgspec.Struct):
    requests: float
    tokens: float
    at_s: float


class RateLimits:
    """A bucket of requests and one of tokens for each key and model, refilled evenly."""

    def __init__(self, requests_per_min: int, tokens_per_min: int) -> None:
        self._requests_per_min = requests_per_min
        self._tokens_per_min = tokens_per_min
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def take(self, key: str, model: str, tokens: int, now_s: float) -> Limits:
        """Count one request of `tokens`, if both buckets hold it; what is left, either way."""
        bucket = self._bucket(key, model, now_s)
        wanting_requests = max(0.0, 1 - bucket.requests)
        wanting_tokens = max(0.0, min(tokens, self._tokens_per_min) - bucket.tokens)
        retry_after_s = 60 * max(
            wanting_requests / self._requests_per_min, wanting_tokens / self._tokens_per_min
        )
        if retry_after_s == 0:
            bucket.requests -= 1
            bucket.tokens = max(0.0, bucket.tokens - tokens)
        missing_requests = self._requests_per_min - bucket.requests
        missing_tokens = self._tokens_per_min - bucket.tokens
        return Limits(
            limit_requests=self._requests_per_min,
            limit_tokens=self._tokens_per_min,
            remaining_requests=int(bucket.requests),
            remaining_tokens=int(bucket.tokens),
            reset_requests_s=60 * missing_requests / self._requests_per_min,
            reset_tokens_s=60 * missing_tokens / self._tokens_per_min,
            retry_after_s=retry_after_s,
        )

    def _bucket(self, key: str, model: str, now_s: float) -> _Bucket:
        bucket = self._buckets.get((key, model))
        if bucket is None:
            bucket = _Bucket(self._requests_per_min, self._tokens_per_min, now_s)
            self._buckets[key, model] = bucket
            if len(self._buckets) > MAX_PAIRS:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end((key, model))
        elapsed_min = max(0.0, now_s - bucket.at_s) / 60
        bucket.requests = min(
            self._requests_per_min, bucket.requests + elapsed_min * self._requests_per_min
        )
        bucket.tokens = min(
            self._tokens_per_min, bucket.tokens + elapsed_min * self._tokens_per_min
        )
        bucket.at_s = now_s
        return bucket


def _duration(seconds: float) -> str:
    """OpenAI's way of writing a time: `6ms`, `1.5s`, `2m0s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{round(seconds, 3):g}s"
    return f"{int(seconds // 60)}m{round(seconds % 60):d}s"
