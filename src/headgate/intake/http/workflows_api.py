"""`/api/workflows`: which workflows there are, and running one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.config.allowances import Priority
from headgate.errors import InvalidRequestError
from headgate.gateway.request_headers import feature_from, no_store_from, trust_from
from headgate.intake.http.action_view import ToolView, tool_view
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint, HeaderParameter
from headgate.intake.http.header_lines import joined
from headgate.intake.http.inputs import Input
from headgate.intake.http.preference import preference
from headgate.intake.http.run_view import RunView, run_view
from headgate.telemetry.traces.lineage import trace_from
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.folder import Workflow
from headgate.workflows.run import Order, Run
from headgate.workflows.run_headers import run_headers
from headgate.workflows.runner import Runner
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.box import OfferedTool

_USER_CHARACTERS_AT_MOST = 512
_HINT = "x-simulator-fault"
_HINT_CHARACTERS_AT_MOST = 1024


class StartRun(Input, frozen=True):
    """An input for a workflow."""

    input: Annotated[
        dict[str, Any], Meta(description="An object that fits the workflow's input schema.")
    ]
    priority: Annotated[
        Priority | None, Meta(description="Whose turn is first; else as the workflow has it.")
    ] = None
    deadline_s: Annotated[
        Annotated[float, Meta(gt=0, le=30 * 86_400)] | None,
        Meta(description="The run has failed if it has not ended by then; else as the workflow."),
    ] = None
    webhook: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(description="The address that is told of the run's end; else as the workflow has it."),
    ] = None


class WorkflowView(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow as it is loaded."""

    name: str
    object: Literal["workflow"] = "workflow"
    version: str
    digest: Annotated[str, Meta(description="`sha256:…` over every file of the folder.")]
    owner: str
    description: str
    route: Annotated[str, Meta(description="The route or model that its calls ask for.")]
    trust: str
    context: Annotated[
        dict[str, str],
        Meta(description="What is gathered for each run, by part: the connector's operation."),
    ]
    fallback: Annotated[bool, Meta(description="Whether it answers when no model's answer passes.")]
    input_schema: Annotated[dict[str, Any], Meta(description="What `input` must fit.")]
    output_schema: Annotated[dict[str, Any], Meta(description="What `output` fits.")]
    tools: Annotated[
        list[ToolView], Meta(description="What its model may ask for, or delivers its outputs.")
    ]


class WorkflowList(msgspec.Struct, frozen=True, kw_only=True):
    """The workflows that the key may run, by name."""

    object: Literal["list"] = "list"
    data: list[WorkflowView]


def workflows_endpoints(
    runner: Runner, durable: DurableRuns, *, fault_hints: bool = True
) -> tuple[Endpoint, ...]:
    """The endpoints. `fault_hints`: whether `x-simulator-fault` is passed on to the provider."""

    async def listed(request: ApiRequest) -> ApiReply:
        found = [workflow for workflow in runner.catalogue if request.caller.may_run(workflow.name)]
        return ApiReply(
            body=WorkflowList(data=[workflow_view(one, runner.tools_of(one)) for one in found])
        )

    async def shown(request: ApiRequest) -> ApiReply:
        workflow = runner.admitted(request.path["name"], request.caller)
        return ApiReply(body=workflow_view(workflow, runner.tools_of(workflow)))

    async def run(request: ApiRequest) -> ApiReply:
        headers, feature = request.headers, joined(request.headers, "x-headgate-feature")
        trust = joined(request.headers, "x-headgate-trust")
        runner.admitted(request.path["name"], request.caller)
        trace_id, parent = trace_from(joined(request.headers, "traceparent"))
        asked, preferred = request.json(StartRun), preference(headers.get("prefer"))
        order = Order(
            workflow=request.path["name"],
            input=asked.input,
            caller=request.caller,
            trace_id=trace_id,
            parent=parent,
            feature=None if feature is None else feature_from(feature),
            user=_user(request),
            idempotency_key=headers.get("idempotency-key"),
            no_store=no_store_from(joined(request.headers, "x-headgate-cache")),
            untrusted=trust is not None and trust_from(trust) == "untrusted",
            headers=_hints(request) if fault_hints else (),
        )
        if preferred.respond_async:
            return await _taken(durable, order, asked, preferred.wait_s)
        _refuse_terms(asked)
        ended = await durable.run(order)
        told = run_headers(ended)
        if ended.error is not None:
            return ApiReply(
                body={"error": ended.error_shown()}, status=ended.error.status, headers=told
            )
        if ended.status == "awaiting_review":
            told["location"] = f"/api/runs/{ended.id}"
            return ApiReply(body=await _whole(runner, ended), status=202, headers=told)
        return ApiReply(body=await _whole(runner, ended), headers=told)

    return (
        Endpoint(
            method="GET", path="/api/workflows", permission="workflows.read", tag="workflows",
            summary="List the workflows that the key may run", handler=listed,
            response=WorkflowList,
        ),
        Endpoint(
            method="GET", path="/api/workflows/{name}", permission="workflows.read",
            tag="workflows", summary="Show a workflow with its schemas and tools", handler=shown,
            response=WorkflowView,
        ),
        Endpoint(
            method="POST", path="/api/workflows/{name}/runs", permission="workflows.run",
            tag="workflows",
            summary="Run a workflow; 202 where it is carried later, or a person must look first",
            handler=run, request=StartRun, response=RunView,
            request_headers=(
                HeaderParameter(
                    "Idempotency-Key",
                    "The same key with the same input gives the same run, for 24 hours.",
                ),
                HeaderParameter(
                    "Prefer",
                    "`respond-async`: answer 202 at once, with the run's address in `Location`;"
                    " `respond-async, wait=30`: wait for its end for so many seconds first.",
                ),
                HeaderParameter("x-headgate-feature", "What the cost is for."),
                HeaderParameter("x-headgate-user", "The end user; only a keyed hash is kept."),
                HeaderParameter(
                    "x-headgate-trust",
                    "`untrusted`: people outside wrote the input, though the workflow trusts it.",
                ),
                HeaderParameter("x-headgate-cache", "`no-store`: ask the model in any case."),
            ),
        ),
    )  # fmt: skip


async def _taken(durable: DurableRuns, order: Order, asked: StartRun, wait_s: float) -> ApiReply:
    """202 with the run as it is; 200, or its error, where it ended while it was waited for."""
    run = await durable.take(
        order, priority=asked.priority, deadline_s=asked.deadline_s, webhook=asked.webhook
    )
    if wait_s:
        replayed = run.replayed
        run = msgspec.structs.replace(await durable.ended(run, wait_s), replayed=replayed)
    told = run_headers(run) | {"location": f"/api/runs/{run.id}"}
    if not wait_s or run.status in ("queued", "running", "awaiting_review"):
        told["preference-applied"] = "respond-async"
        return ApiReply(body=await _whole(durable.runner, run), status=202, headers=told)
    if run.error is not None:
        return ApiReply(body={"error": run.error_shown()}, status=run.error.status, headers=told)
    return ApiReply(body=await _whole(durable.runner, run), headers=told)


async def _whole(runner: Runner, run: Run) -> RunView:
    """The run as its caller is answered."""
    actions: list[Action] = []
    if runner.tools_of(runner.catalogue.get(run.workflow)):
        actions = await runner.threads.run(runner.repository.actions, run.id)
    return run_view(run, contents=True, actions=actions)


def _refuse_terms(asked: StartRun) -> None:
    for name in ("priority", "deadline_s", "webhook"):
        if getattr(asked, name) is not None:
            raise InvalidRequestError(
                f"`{name}` is for asynchronous runs; send the header `Prefer: respond-async`.",
                param=name,
            )


def workflow_view(workflow: Workflow, tools: Iterable[OfferedTool]) -> WorkflowView:
    """What a caller may know of `workflow`: not its prompt."""
    settings = workflow.settings
    delivery = None if settings.deliver is None else settings.deliver.tool
    return WorkflowView(
        name=workflow.name,
        version=settings.version,
        digest=workflow.digest,
        owner=settings.owner,
        description=settings.description,
        route=settings.route,
        trust=settings.trust,
        context={name: part.source for name, part in settings.context.items()},
        fallback=settings.fallback is not None,
        input_schema=workflow.input_schema.document,
        output_schema=workflow.output_schema.document,
        tools=[tool_view(one, delivers=one.name == delivery) for one in tools],
    )


def _user(request: ApiRequest) -> str | None:
    user = joined(request.headers, "x-headgate-user")
    return user.decode("utf-8", "replace")[:_USER_CHARACTERS_AT_MOST] if user else None


def _hints(request: ApiRequest) -> tuple[tuple[bytes, bytes], ...]:
    hint = joined(request.headers, _HINT)
    if hint is None:
        return ()
    if len(hint) > _HINT_CHARACTERS_AT_MOST or b"\r" in hint or b"\n" in hint:
        raise InvalidRequestError(
            f"The header {_HINT} takes {_HINT_CHARACTERS_AT_MOST} characters at most.", param=_HINT
        )
    return ((_HINT.encode(), hint),)
