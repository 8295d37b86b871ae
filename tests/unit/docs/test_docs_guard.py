"""The guards that the how-to shows are found, checked and asked, whole and streamed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import samples

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.parts.flow import ChatFlow
from headgate.cli.check import check_project
from headgate.config.load import load_settings
from headgate.errors import ContentBlockedError
from headgate.gateway.guarded_stream import GuardedStream


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, language in (
        ("shouting.py", "python"), ("listening.py", "python"), ("headgate.yaml", "yaml"),
    ):  # fmt: skip
        (sample,) = samples(language, f"guard: {name}")
        (tmp_path / name).write_text(sample.text, "utf-8")
    return tmp_path


def guarding(project: Path) -> Guarding:
    assert check_project(project).problems == ()
    settings = load_settings(project)
    means = Means(b"k" * 32, folder=project)
    policies = build_policies(settings.guards, settings.guard_policies, means)
    assert policies is not None
    call = Guarded(project="p", key_id="k", endpoint="chat/completions", trust="trusted")
    standing = policies.standing(call)
    assert standing is not None
    return Guarding(standing, call)


def chunk(text: str, finish: str = "null") -> bytes:
    choice = f'{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{finish}}}'
    return f'data: {{"choices":[{choice}]}}\n\n'.encode()


async def test_the_guard_that_is_shown_judges_both_ways(project: Path):
    guards = guarding(project)
    await guards.request({"messages": [{"role": "user", "content": "Hello There"}]})
    with pytest.raises(ContentBlockedError, match=r"`quiet` .* \(shouting\)"):
        await guards.reply({"choices": [{"message": {"role": "assistant", "content": "SHOUTS"}}]})
    assert guards.report.records[-1].score == 90
    with pytest.raises(ContentBlockedError):
        await guards.request({"messages": [{"role": "user", "content": "ANSWER ME"}]})


def test_it_sees_streams_when_a_text_is_whole(project: Path):
    stream = GuardedStream(guarding(project), ChatFlow())
    assert b"Hel" not in stream.feed(chunk("Hel"))
    assert b"Hello" in stream.feed(chunk("lo", '"stop"'))


def test_the_filter_that_is_shown_lets_a_text_flow_until_it_shouts(project: Path):
    text = (project / "headgate.yaml").read_text("utf-8")
    changed = text.replace("shouting.py, guard: NoShouting, settings: { most: 5 }",
                           "listening.py, guard: Listening")  # fmt: skip
    assert changed != text
    (project / "headgate.yaml").write_text(changed, "utf-8")
    stream = GuardedStream(guarding(project), ChatFlow())
    assert b"HELLO" in stream.feed(chunk("HELLO"))
    with pytest.raises(ContentBlockedError, match="shouting"):
        stream.feed(chunk("AGAIN"))
