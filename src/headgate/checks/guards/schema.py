"""The guard that checks answers against what their requests asked for: text and tool calls.

Providers promise both; not all keep it for every model, and an answer that was cut off keeps
nothing. Nothing is repaired: what does not fit is blocked or flagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headgate.checks.contract.caller_schema import CallerSchemas, Fault, UncheckableError
from headgate.checks.contract.contract import Contract
from headgate.checks.contract.finished import Finished
from headgate.checks.guards.guard import Guard, Guarded
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.parts.part import Part
from headgate.config.guards import Direction, SchemaSettings

_LINES = "batches/lines"


class SchemaGuard(Guard):
    """Holds answers to their requests' schemas."""

    of_finished = True

    def __init__(self, name: str, settings: SchemaSettings, **common: Any) -> None:
        super().__init__(name, **common)
        self._on_hit = settings.on_hit
        self._schemas = CallerSchemas()

    @property
    def reads_requests(self) -> bool:
        """See `Guard`: of a request only its schemas matter, and those can be read."""
        return False

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`: what is no text has no schema that it could break."""
        return False

    def begin(self, fields: dict[str, Any], call: Guarded) -> None:
        """See `Guard`."""
        if call.kept_as_data or call.endpoint == _LINES:
            return  # it has no answer, or one that is fetched later, without its request
        # A run checks its outputs itself, and asks again where they are wrong.
        call.contract = Contract.of(fields, self._schemas, text=call.workflow is None)

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """See `Guard`; a schema that can't be checked against is told before a model is asked."""
        contract = call.contract
        if contract is None or contract.uncheckable is None:
            return PASS
        return self._uncheckable(contract.uncheckable)

    def awaits(self, call: Guarded) -> bool:
        """See `Guard`."""
        return call.contract is not None and not call.contract.asks_nothing

    def check_finished(self, one: Finished, call: Guarded) -> Verdict:
        """See `Guard`."""
        contract = call.contract
        if contract is None:
            return PASS
        if contract.uncheckable is not None:
            return self._uncheckable(contract.uncheckable)
        try:
            fault = contract.fault(one)
        except UncheckableError as error:
            return self._uncheckable(f"the schema for `{one.path}` {error}")
        if fault is None:
            return PASS
        call.unfit = self._on_hit == "block"
        return self._broken(one, fault)

    def _broken(self, one: Finished, fault: Fault) -> Verdict:
        what = "the text" if one.kind == "text" else "a tool's arguments"
        dot = "" if not fault.path or fault.path.startswith("[") else "."
        place = one.path if not fault.path else f"{one.path}: {fault.path.removeprefix(dot)}"
        return Verdict(
            self._on_hit,
            reason=f"{what}: {fault.keyword}",
            counts={"schema": 1},
            message=f"The guard `{self.name}` does not let this reply by: `{place}` does not fit"
            f" the schema of the request (`{fault.keyword}`). Ask again, or ask another model.",
        )

    def _uncheckable(self, why: str) -> Verdict:
        return Verdict(
            self._on_hit,
            reason="a schema can't be checked",
            counts={"schema": 1},
            message=f"The guard `{self.name}` can't check answers to this request: {why}.",
        )
