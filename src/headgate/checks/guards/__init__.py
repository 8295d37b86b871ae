"""Guards: what looks at the parts of every call, in both directions, before anyone else does.

What stands here is what a guard of one's own needs.
"""

from headgate.checks.contract.finished import Finished
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Decision, Verdict
from headgate.checks.parts.part import Part

__all__ = [
    "PASS",
    "BlockedError",
    "Decision",
    "Finished",
    "Guard",
    "Guarded",
    "OutputFilter",
    "Part",
    "Verdict",
]
