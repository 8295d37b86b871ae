"""Names the exact contents of a workflow's folder: any change to any file changes the name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from headgate.errors import ConfigError

FILES_AT_MOST = 500
SIZE_BYTES_AT_MOST = 16 * 1024 * 1024
"""Of all files of a folder together."""

_IGNORED_ENDINGS = ("~", ".pyc", ".swp", ".tmp", ".orig")


def folder_files(folder: Path) -> dict[str, bytes]:
    """Relative path with `/` → contents, without hidden files and editors' and Python's leavings.

    `ConfigError` where a file can't be read, leads out of the folder or the bounds are passed.
    """
    files: dict[str, bytes] = {}
    size_bytes = 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if _ignored(relative) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"{path}: leads out of the workflow's folder; copy the file into it")
        try:
            files[relative.as_posix()] = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        size_bytes += len(files[relative.as_posix()])
        if len(files) > FILES_AT_MOST or size_bytes > SIZE_BYTES_AT_MOST:
            raise ConfigError(
                f"{folder}: has more than {FILES_AT_MOST} files or {SIZE_BYTES_AT_MOST} bytes"
            )
    return files


def digest_of(files: Mapping[str, bytes]) -> str:
    """`sha256:` and 64 hexadecimal digits, over the names and contents of `files`."""
    digest = hashlib.sha256(b"headgate workflow folder 1\n")
    for name in sorted(files):
        # Hashes of fixed length in between: no file's end can pass for the next one's beginning.
        digest.update(hashlib.sha256(name.encode()).digest())
        digest.update(hashlib.sha256(files[name]).digest())
    return f"sha256:{digest.hexdigest()}"


def _ignored(relative: Path) -> bool:
    return any(
        part.startswith(".") or part == "__pycache__" for part in relative.parts
    ) or relative.name.endswith(_IGNORED_ENDINGS)
