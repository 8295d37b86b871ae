"""A header, metric, setting or variable that a page names is one that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from pages import NAMES, PAGES, ROOT

from headgate.config.settings import Settings
from headgate.intake.access.roles import PERMISSIONS

SOURCE = "\n".join(
    path.read_text("utf-8") for path in sorted((ROOT / "src" / "headgate").rglob("*.py"))
)
METRICS = set(
    re.findall(r"`(headgate_\w+)`", (ROOT / "docs/reference/metrics.md").read_text("utf-8"))
)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=NAMES)


@EVERY_PAGE
def test_headers_exist(page: Path):
    named = set(re.findall(r"\bx-(?:headgate|simulator)-[a-z-]+[a-z]", _text(page)))
    assert not {name for name in named if name not in SOURCE}


@EVERY_PAGE
def test_metrics_exist(page: Path):
    named = re.findall(r"\bheadgate_(?!test_|rules_)[a-z_]*[a-z](?![\w*])", _text(page))
    known = {name.removeprefix("headgate_") for name in METRICS}
    assert not {
        name for name in (found.removeprefix("headgate_") for found in named) if name not in known
    } - {f"{name}_bucket" for name in known}


@EVERY_PAGE
def test_settings_exist(page: Path):
    tables = {
        field.encode_name: field.default
        for field in msgspec.structs.fields(Settings)
        if isinstance(field.default, msgspec.Struct)
    }
    named = re.findall(rf"`({'|'.join(tables)})\.([a-z_]+)\b(?!\.py)", _text(page))
    unknown = {f"{table}.{field}" for table, field in named if not hasattr(tables[table], field)}
    assert not unknown - set(PERMISSIONS)


@EVERY_PAGE
def test_environment_variables_exist(page: Path):
    named = set(re.findall(r"\bHEADGATE_[A-Z_]+[A-Z]", _text(page)))
    there = SOURCE + (ROOT / "tests" / "databases.py").read_text("utf-8")
    assert not {name for name in named if name not in there}


def _text(page: Path) -> str:
    return page.read_text("utf-8")
