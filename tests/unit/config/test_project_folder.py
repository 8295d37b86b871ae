"""Which folder is the project where nobody names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.environment import project_folder
from headgate.config.load import load_settings
from headgate.errors import ConfigError


@pytest.mark.parametrize(
    ("file", "is_one"),
    [
        ("headgate.yaml", True),
        ("headgate.yml", True),
        ("workflows/letter-filing/workflow.yaml", True),
        ("workflows/build.yml", False),
        ("notes.txt", False),
    ],
)
def test_a_folder_with_a_configuration_or_a_workflow_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, is_one: bool
):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    assert project_folder(None, {}) == (tmp_path if is_one else None)
    assert project_folder(None, {"HEADGATE_PROJECT": "/elsewhere"}) == Path("/elsewhere")
    assert project_folder(Path("named"), {}) == Path("named")


def test_a_configuration_under_another_ending_is_told_not_passed_over(tmp_path: Path):
    (tmp_path / "headgate.yml").write_text("budgets: []\n")
    with pytest.raises(
        ConfigError, match=r"headgate\.yml: is not read; rename it to headgate\.yaml"
    ):
        load_settings(tmp_path, {})
    (tmp_path / "headgate.yaml").write_text("")
    assert load_settings(tmp_path, {}).budgets == ()
