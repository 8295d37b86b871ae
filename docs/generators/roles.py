"""docs/reference/roles.md: what each role may do, as the server itself decides it."""

from __future__ import annotations

from headgate.intake.access.roles import roles_table_markdown

_INTRODUCTION = """\
# Roles and what they may do

Every key has one role. The table is generated from `headgate.intake.access.roles`, which the \
server itself goes by. How keys are made and used is told in \
[Keys and roles](../how-to/keys-and-roles.md).
"""

_RULES = """\
Three rules hold for every role:

- Nobody can create a key with more rights than their own: not of a wider role, not for models, \
workflows or networks beyond their own key's, and not one that outlives it.
- What lies beyond a key's reach is answered as if it were not there.
- A key's secret is shown once, when it is made; only its keyed hash is stored.
"""


def page() -> str:
    """The page's Markdown."""
    return f"{_INTRODUCTION}\n{roles_table_markdown()}\n{_RULES}"
