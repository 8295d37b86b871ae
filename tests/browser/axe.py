"""Where axe-core comes from: npm, once, into a folder of caches; it is not part of Headgate."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.14.1"

_TIMEOUT_S = 60
_MEMBER = "package/axe.min.js"


def axe_source() -> str | None:
    """The script; None where npm is missing or cannot fetch it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = caches / "headgate-tests" / f"axe-{VERSION}.min.js"
    if kept.exists():
        return kept.read_text()
    if shutil.which("npm") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            fetched = subprocess.run(
                ["npm", "pack", "--silent", f"axe-core@{VERSION}"],
                cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        if fetched.returncode:
            return None
        with tarfile.open(Path(folder) / f"axe-core-{VERSION}.tgz") as archive:
            member = archive.extractfile(_MEMBER)
            if member is None:
                return None
            source = member.read().decode()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(source)
    return source
