"""Which of the SDK's tests need not pass through Headgate, and why."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple


class Waived(NamedTuple):
    """Tests that are left out of the verdict."""

    pattern: str
    """Of a test's identifier, such as `tests/api_resources/admin/*`."""
    reason: str

    def covers(self, test: str) -> bool:
        """Whether `test` is one of them."""
        return fnmatchcase(test, self.pattern)


WAIVED = (
    Waived(
        "tests/api_resources/admin/*",
        "organisation administration takes OpenAI's admin keys, which a gateway does not hold",
    ),
)
