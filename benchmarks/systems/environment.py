"""How does a system get a Python environment of its own? Made once, from the package index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def install(name: str, environment: Path, *arguments: str, deadline_s: float) -> str:
    """Make `environment` and install pip's `arguments` into it; say what went wrong, or nothing.

    It counts as made when all of it is there: `is_installed` tells.
    """
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", *arguments],
    ):
        try:
            subprocess.run(command, check=True, timeout=deadline_s, capture_output=True)
        except subprocess.SubprocessError as error:
            said = getattr(error, "stderr", None) or b""
            last = said.decode(errors="replace").strip().rpartition("\n")[2]
            return f"{name} could not be installed: {last or error}"
    _mark(environment).touch()
    return ""


def is_installed(environment: Path) -> bool:
    """Tell whether `install` has made `environment`."""
    return _mark(environment).exists()


def _mark(environment: Path) -> Path:
    return environment / "installed"
