"""Grades that were given, so that equal texts are graded once. Pure, in this process."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

_KEY_BYTES = 16


class GradeMemory:
    """At most `most` of them; the one that was not asked for the longest is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._grades: OrderedDict[bytes, str] = OrderedDict()

    def recall(self, *what: str) -> str | None:
        """The grade of `what`, if it is remembered."""
        key = _key(what)
        grade = self._grades.get(key)
        if grade is not None:
            self._grades.move_to_end(key)
        return grade

    def keep(self, grade: str, *what: str) -> None:
        """Remember the grade of `what`."""
        if not self._most:
            return
        self._grades[_key(what)] = grade
        if len(self._grades) > self._most:
            self._grades.popitem(last=False)

    def __len__(self) -> int:
        return len(self._grades)


def _key(what: tuple[str, ...]) -> bytes:
    """Not the text itself, which may be long and is nobody's to keep."""
    digest = blake2b(digest_size=_KEY_BYTES)
    for part in what:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data) + data)
    return digest.digest()
