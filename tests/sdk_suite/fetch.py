"""What the suite needs of others, fetched by package name: the SDK, its tests, and its mock server.

Everything lands in `.work/` beside this file and is kept for the next time; nothing of it is
committed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from typing import NamedTuple

WORK = Path(__file__).parent / ".work"
MOCK_PACKAGE = "@stdy/cli@0.22.2"
TEST_PACKAGES = ("pytest>=9", "pytest-asyncio>=1.4", "pytest-xdist>=3.6", "rich>=13.7")
"""What the SDK's own test configuration asks for."""

_DEADLINE_S = 900
_SPECIFICATIONS = ("api_reference/openapi*.yml", "openapi*.yml", "openapi*.yaml", "openapi*.json")


class CannotFetch(Exception):  # noqa: N818 - it is a reason, told to a person
    """Something could not be had; the message says what and why."""


class Kit(NamedTuple):
    """What was fetched."""

    python: Path
    """The interpreter of the environment in which the SDK and pytest are installed."""
    source: Path
    """The SDK's source, with its tests."""
    mock: Path
    """The mock server's program."""
    specification: Path
    derived: bool
    """Whether the specification was made from the source because it carries none."""


def fetch(version: str, given: Path | None) -> Kit:
    """The kit for the SDK's `version`, on the specification `given` or else on the source's own.

    Raises `CannotFetch`.
    """
    folder = WORK / f"openai-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    source = _source(folder, version)
    python = _environment(folder, version)
    specification, derived = given, False
    if specification is None:
        specification = next(
            (path for pattern in _SPECIFICATIONS for path in sorted(source.glob(pattern))), None
        )
    if specification is None:
        specification, derived = folder / "specification.json", True
        script = Path(__file__).with_name("specification.py")
        (folder / "derived.txt").write_text(_run(python, script, source, specification), "utf-8")
    return Kit(python, source, _mock(), specification, derived)


def _source(folder: Path, version: str) -> Path:
    source = folder / f"openai-{version}"
    if not source.exists():
        _run(
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
            "--no-binary", "openai", "--dest", folder, f"openai=={version}",
        )  # fmt: skip
        with tarfile.open(folder / f"openai-{version}.tar.gz") as archive:
            archive.extractall(folder / "unpacking", filter="data")
        # Only now is it whole, whatever stopped an earlier try.
        (folder / "unpacking" / source.name).rename(source)
        (folder / "unpacking").rmdir()
    return source


def _environment(folder: Path, version: str) -> Path:
    home = folder / "venv"
    python = home / "bin" / "python"
    done = home / "installed"
    if not done.exists():
        venv.create(home, clear=True, with_pip=True)
        _run(
            python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            f"openai[aiohttp]=={version}", *TEST_PACKAGES,
        )  # fmt: skip
        done.touch()
    return python


def _mock() -> Path:
    home = WORK / "mock"
    program = home / "node_modules" / ".bin" / "steady"
    if not program.exists():
        if shutil.which("npm") is None:
            raise CannotFetch("npm is not installed; the mock server comes from there")
        home.mkdir(exist_ok=True)
        _run("npm", "install", "--silent", "--no-save", "--prefix", home, MOCK_PACKAGE)
    return program


def _run(*command: str | Path) -> str:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, check=True, capture_output=True, text=True, timeout=_DEADLINE_S
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().rpartition("\n")[2]
        raise CannotFetch(f"`{' '.join(words[:6])} …` failed: {said}") from None
    return done.stdout
