"""Which of a provider's keys is used, and when one is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.config.provider_keys import ProviderKeySettings
from headgate.gateway.keys.pool import KeyPool, PooledKey, ProviderKey

M = "gpt-5-mini"


def key(name: str, **limits: int) -> PooledKey:
    settings = ProviderKeySettings(name=name, api_key="sk", **limits)
    return PooledKey(ProviderKey(name, b"sk", b""), settings)


def pool(*keys: PooledKey, probe_s: float = 10) -> KeyPool:
    return KeyPool(keys, probe_s=probe_s)


def picks(keys: KeyPool, count: int, tokens: int = 10, now_s: float = 0.0) -> list[str | None]:
    found = [keys.pick(M, tokens, now_s) for _ in range(count)]
    return [one.name if one else None for one in found]


def told(**headers: object):
    given_ = {
        f"x-ratelimit-{name.replace('_', '-')}".encode(): str(value).encode()
        for name, value in headers.items()
    }
    return given_.get


def test_keys_without_limits_take_turns() -> None:
    assert picks(pool(key("a"), key("b")), 4) == ["a", "b", "a", "b"]


def test_the_key_with_most_room_is_picked() -> None:
    assert picks(pool(key("a", rpm=10), key("b", rpm=30)), 8).count("b") == 6


def test_the_smallest_share_of_a_limit_decides() -> None:
    keys = pool(key("a", rpm=1000, tpm=1000), key("b", rpm=100, tpm=10_000))
    assert picks(keys, 1, tokens=500) == ["b"]


def test_what_a_reply_tells_is_believed() -> None:
    keys = pool(key("a"), key("b"))
    first = keys.pick(M, 10, 0.0)
    assert first is not None
    keys.learn(
        first, M, told(limit_requests=100, remaining_requests=5, reset_requests="60s"), 0.0,
        answered=True,
    )  # fmt: skip
    assert picks(keys, 3) == ["b", "b", "b"]


def test_a_limit_fills_up_again() -> None:
    keys = pool(key("a", rpm=60))
    picks(keys, 60)
    assert not keys.has_room(M, 10, 0.0, ())
    assert keys.has_room(M, 10, 1.1, ())


def test_a_key_that_is_used_up_is_still_better_than_none() -> None:
    keys = pool(key("a"))
    only = keys.pick(M, 10, 0.0)
    keys.rest(only, M, 5.0, 0.0)
    assert not keys.has_room(M, 10, 0.0, ())
    assert picks(keys, 1) == ["a"]
    assert keys.has_room(M, 0, 60.0, ())


def test_what_is_said_of_one_model_is_not_held_against_another() -> None:
    keys = pool(key("a"), key("b"))
    first = keys.pick("small", 10, 0.0)
    assert first is not None
    keys.rest(first, "small", 60.0, 0.0)
    used_up = told(limit_tokens=100, remaining_tokens=0, reset_tokens="60s")
    keys.learn(first, "large", used_up, 0.0, answered=True)
    others = {keys.pick(model, 10, 1.0).name for model in ("small", "large") for _ in range(3)}
    assert others == {"b"}
    assert [keys.pick("medium", 10, 1.0).name for _ in range(2)].count(first.name) == 2
    assert not keys.rests("small", 1.0)
    keys.rest(keys.keeper("b"), "small", 60.0, 1.0)
    assert keys.rests("small", 1.0)
    assert not keys.rests("large", 1.0)


def test_what_is_declared_holds_for_all_models_together() -> None:
    keys = pool(key("a", rpm=2), key("b", rpm=200))
    assert keys.named("a", "small", 10, 0.0)
    assert keys.named("a", "large", 10, 0.0)
    assert not keys.has_room("medium", 10, 0.0, ["b"])


def test_a_key_that_says_to_stay_away_for_a_day_is_asked_after_five_minutes() -> None:
    keys = pool(key("a"))
    keys.rest(keys.keeper("a"), M, 86_400.0, 0.0)
    assert keys.rests(M, 299.0)
    assert not keys.rests(M, 301.0)


def test_models_without_end_are_forgotten_the_first_first() -> None:
    keys = pool(key("a"), key("b"))
    for number in range(300):
        keys.rest(keys.keeper("a"), f"m{number}", 60.0, 0.0)
    assert not keys.has_room("m299", 10, 1.0, ["b"])
    assert keys.has_room("m0", 10, 1.0, ["b"])


def test_a_refused_key_is_out_until_a_probe_succeeds() -> None:
    keys = pool(key("a"), key("b"))
    refused = keys.pick(M, 10, 0.0)
    assert keys.take_out(refused, 0.0)
    assert not keys.take_out(refused, 0.1)
    assert keys.out_count == 1
    assert picks(keys, 3) == ["b", "b", "b"]
    assert keys.named("a", M, 10, 0.0) is None
    assert keys.due(9.9) == []
    assert keys.due(10.0) == [refused]
    keys.probed(refused, 10.0, good=True)
    assert keys.out_count == 0
    assert "a" in picks(keys, 3, now_s=10.0)


def test_a_key_that_stays_bad_is_probed_less_and_less_often() -> None:
    keys = pool(key("a"))
    bad = keys.pick(M, 10, 0.0)
    keys.take_out(bad, 0.0)
    now_s, pauses = 0.0, []
    for _ in range(7):
        pause_s = next(p for p in range(1, 1000) if keys.due(now_s + p))
        pauses.append(pause_s)
        now_s += pause_s
        keys.probed(bad, now_s, good=False)
    assert pauses == [10, 20, 40, 80, 160, 300, 300]


def test_one_that_is_refused_again_after_a_good_probe_waits_longer() -> None:
    keys = pool(key("a"))
    empty = keys.pick(M, 10, 0.0)
    keys.take_out(empty, 0.0)
    keys.probed(empty, 10.0, good=True)
    keys.take_out(empty, 10.0)
    assert keys.due(20.0) == []
    assert keys.due(30.0) == [empty]
    keys.probed(empty, 30.0, good=True)
    keys.learn(empty, M, told(), 30.0, answered=True)
    keys.take_out(empty, 31.0)
    assert keys.due(41.0) == [empty]


def test_without_a_key_nothing_is_picked() -> None:
    keys = pool(key("a"))
    keys.take_out(keys.pick(M, 1, 0.0), 0.0)
    assert keys.pick(M, 1, 0.0) is None
    assert keys.any_key().name == "a"


def test_a_projects_objects_stay_with_one_key_while_it_is_in() -> None:
    keys = pool(key("a"), key("b"), key("c"))
    homes = {name: keys.home_of(name) for name in map(str, range(60))}
    assert {home.name for home in homes.values()} == {"a", "b", "c"}
    assert keys.home_of("7") is homes["7"]
    keys.take_out(homes["7"], 0.0)
    moved = {name for name in homes if keys.home_of(name) is not homes[name]}
    assert moved == {name for name, home in homes.items() if home is homes["7"]}
    assert keys.home_of("7", [keys.home_of("7").name]) not in (homes["7"], keys.home_of("7"))
    keys.probed(homes["7"], 60.0, good=True)
    assert keys.home_of("7") is homes["7"]


def test_what_was_made_before_the_pool_is_seen_by_the_key_that_stood_alone() -> None:
    assert pool(key("a"), key("default")).keeper(None).name == "default"
    assert pool(key("a"), key("b")).keeper(None).name == "a"
    assert pool(key("a"), key("b")).keeper("b").name == "b"
    assert pool(key("a"), key("b")).keeper("gone") is None


numbers = st.integers(-5, 10**16) | st.text(max_size=5)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.fixed_dictionaries(
                {
                    "limit_requests": numbers,
                    "remaining_requests": numbers,
                    "reset_tokens": st.text(max_size=8),
                    "limit_tokens": numbers,
                    "remaining_tokens": numbers,
                }
            ),
            st.floats(0, 1e4),
            st.integers(0, 10**9),
        ),
        max_size=30,
    )
)
def test_whatever_a_provider_tells_a_key_that_is_in_is_found(steps) -> None:
    keys = pool(key("a", rpm=5, tpd=100), key("b", tpm=7))
    now_s = 0.0
    for name, headers, pause_s, tokens in steps:
        now_s += pause_s
        named = keys.named(name, M, tokens, now_s)
        assert named is not None
        safe = {k: str(v).encode("utf-8", "replace").decode("latin-1") for k, v in headers.items()}
        keys.learn(named, M, lambda h, s=safe: _header(s, h), now_s, answered=True)
        assert keys.pick(M, tokens, now_s) is not None


def _header(headers: dict[str, str], name: bytes) -> bytes | None:
    found = headers.get(name.decode().removeprefix("x-ratelimit-").replace("-", "_"))
    return None if found is None else found.encode("latin-1")
