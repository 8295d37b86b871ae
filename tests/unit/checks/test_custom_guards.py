"""Guards of an operator's own are found, made, and asked like the built-in ones."""

import sys
from pathlib import Path

import pytest

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.parts.flow import ChatFlow
from headgate.cli.check import check_project
from headgate.config.guards import CustomSettings, GuardPolicySettings, GuardSettings
from headgate.errors import ConfigError, ContentBlockedError, GuardFailedError
from headgate.gateway.guarded_stream import GuardedStream

SHOUTING = """
from headgate.checks.guards.guard import Guard
from headgate.checks.guards.verdict import PASS, Verdict


class NoShouting(Guard):
    def __init__(self, name, *, most=10, **common):
        super().__init__(name, **common)
        self.most = most

    async def check_input(self, parts, call):
        capitals = sum(letter.isupper() for part in parts for letter in part.text)
        return Verdict("block", reason="shouting") if capitals > self.most else PASS


not_a_guard = 1


class NotAsync(Guard):
    def check_input(self, parts, call):
        return PASS


class WithoutSuper(Guard):
    def __init__(self, name, **common):
        pass


class Other(Guard):
    async def check_output(self, parts):
        return PASS
"""


def build(folder: Path, **custom: object) -> Guarding:
    settings = {"mine": GuardSettings(custom=CustomSettings(**custom))}  # type: ignore[arg-type]
    policies = build_policies(
        settings, {"all": GuardPolicySettings(guards=("mine",))}, Means(b"", folder=folder)
    )
    assert policies is not None
    call = Guarded(project="p", key_id="k", endpoint="chat/completions", trust="trusted")
    standing = policies.standing(call)
    assert standing is not None
    return Guarding(standing, call)


async def test_a_guard_of_the_projects_own_is_asked(tmp_path: Path) -> None:
    (tmp_path / "shouting.py").write_text(SHOUTING)
    guarding = build(tmp_path, file="shouting.py", guard="NoShouting", settings={"most": 3})
    await guarding.request({"input": "Hello"})
    with pytest.raises(ContentBlockedError, match="shouting"):
        await guarding.request({"input": "HELLO"})


@pytest.mark.parametrize(
    ("custom", "problem"),
    [
        ({"file": "none.py", "guard": "NoShouting"}, "there is no"),
        ({"file": "shouting.py", "guard": "Missing"}, "has no `Missing`"),
        ({"file": "shouting.py", "guard": "not_a_guard"}, "is no subclass of Guard"),
        ({"file": "shouting.py", "guard": "NoShouting", "settings": {"x": 1}}, "can't be made"),
        ({"file": "broken.py", "guard": "NoShouting"}, r"broken.py:2: can't be read"),
        ({"file": "syntax.py", "guard": "NoShouting"}, r"syntax.py:1: can't be read"),
        ({"file": "exits.py", "guard": "NoShouting"}, r"exits.py:2: can't be read"),
        ({"file": "shouting.py", "guard": "NotAsync"}, r"as `async def check_input\(self, parts"),
        (
            {"file": "shouting.py", "guard": "Other"},
            r"as `async def check_output\(self, parts, call",
        ),
        ({"file": "shouting.py", "guard": "WithoutSuper"}, r"must call super\(\)"),
        ({"guard": "nowhere"}, "no installed package has a guard `nowhere`"),
    ],
)
def test_one_that_cannot_be_had_is_told(
    tmp_path: Path, custom: dict[str, object], problem: str
) -> None:
    (tmp_path / "shouting.py").write_text(SHOUTING)
    (tmp_path / "broken.py").write_text("\nimport nothing_of_that_name\n")
    (tmp_path / "syntax.py").write_text("class:\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(ConfigError, match=problem):
        build(tmp_path, **custom)


def test_where_the_file_names_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "headgate.yaml").write_text(
        "guards:\n  mine:\n    custom:\n      file: none.py\n      guard: NoShouting\n"
        "guard_policies: {all: {guards: [mine]}}\n"
    )
    with pytest.raises(ConfigError) as error:
        build(tmp_path, file="none.py", guard="NoShouting")
    assert error.value.message.startswith(
        f"{tmp_path / 'headgate.yaml'}:4: guards.mine.custom.file: there is no"
    )
    (problem,) = check_project(tmp_path).problems
    assert problem == error.value.message


PACKAGE = {
    "quiet_guards.py": SHOUTING,
    "quiet_guards-1.0.dist-info/METADATA":
        "Metadata-Version: 2.1\nName: quiet-guards\nVersion: 1.0\n",
    "quiet_guards-1.0.dist-info/entry_points.txt":
        "[headgate.guards]\nno-shouting = quiet_guards:NoShouting\n",
}  # fmt: skip


@pytest.mark.parametrize("body", ["import sys\nsys.exit(0)\n", "import sys\n\n\nsys.exit()\n"])
def test_one_that_exits_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    # `headgate check` would end without a word, and as if all were right.
    (tmp_path / "leaving.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    line = body.count("\n")
    with pytest.raises(ConfigError, match=rf"leaving\.py:{line}: can't be read: it exits"):
        build(Path(), file="leaving.py", guard="NoShouting")


async def test_a_guard_of_an_installed_package_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    guarding = build(tmp_path, guard="no-shouting", settings={"most": 3})
    with pytest.raises(ContentBlockedError, match="shouting"):
        await guarding.request({"input": "HELLO"})
    with pytest.raises(ConfigError, match="which name no-shouting"):
        build(tmp_path, guard="no-whispering")
    monkeypatch.delitem(sys.modules, "quiet_guards")


OUTPUT_ONLY = """
from headgate.checks.guards import PASS, Guard, Verdict


class NoSecrets(Guard):
    async def check_output(self, parts, call):
        for part in parts:
            if "Chimera" in part.text:
                return Verdict("block", reason="names")
            if part.kind == "text" and part.role == "model":
                part.text = part.text.replace("blue", "green")
        return PASS


class Waits(Guard):
    async def check_output(self, parts, call):
        import asyncio
        await asyncio.sleep(0)
        return PASS
"""


def words(*said: str) -> bytes:
    """A chat's chunks, and its end."""
    deltas = [f'{{"content":"{word}"}}' for word in said]
    events = [f'data: {{"choices":[{{"index":0,"delta":{one}}}]}}\n\n' for one in deltas]
    events.append('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n')
    return "".join([*events, "data: [DONE]\n\n"]).encode()


def test_one_that_knows_whole_answers_only_sees_streams_text_by_text(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OUTPUT_ONLY)
    guarding = build(tmp_path, file="mine.py", guard="NoSecrets")
    stream = GuardedStream(guarding, ChatFlow())
    shown = stream.feed(words("It is bl", "ue."))
    assert b"It is green." in shown
    assert shown.index(b"green") < shown.index(b'finish_reason":"stop')
    assert shown.endswith(b"data: [DONE]\n\n")
    stream = GuardedStream(build(tmp_path, file="mine.py", guard="NoSecrets"), ChatFlow())
    with pytest.raises(ContentBlockedError, match="names"):
        stream.feed(words("Project Chi", "mera"))


def test_one_that_waits_needs_a_filter_for_streams(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OUTPUT_ONLY)
    stream = GuardedStream(build(tmp_path, file="mine.py", guard="Waits"), ChatFlow())
    with pytest.raises(GuardFailedError, match="NoFilterError"):
        stream.feed(words("anything"))
