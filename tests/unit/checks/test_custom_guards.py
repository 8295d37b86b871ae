"""Guards of an operator's own are found, made, and asked like the built-in ones."""

from pathlib import Path

import pytest

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.config.guards import CustomSettings, GuardPolicySettings, GuardSettings
from headgate.errors import ConfigError, ContentBlockedError

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
        ({"file": "broken.py", "guard": "NoShouting"}, "can't be read"),
        ({"guard": "nowhere"}, "no installed package has a guard `nowhere`"),
    ],
)
def test_one_that_cannot_be_had_is_told(
    tmp_path: Path, custom: dict[str, object], problem: str
) -> None:
    (tmp_path / "shouting.py").write_text(SHOUTING)
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(ConfigError, match=problem):
        build(tmp_path, **custom)
