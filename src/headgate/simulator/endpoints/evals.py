"""/v1/evals and their runs: a run passes every item of its data."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, StoredObject, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import missing_parameter
from headgate.simulator.wire.parameters import check_metadata
from headgate.simulator.wire.reply import Reply, json_reply

MAX_OUTPUT_ITEMS = 1_000


def create_eval(exchange: Exchange, _: str) -> Reply:
    """Make an eval."""
    body = exchange.request.json_object()
    check_metadata(body)
    for name in ("data_source_config", "testing_criteria"):
        if name not in body:
            raise missing_parameter(name)
    source = dict(body["data_source_config"])
    schema = {"type": "object", "properties": {"item": source.pop("item_schema", {})}}
    criteria = [{"id": new_id("crit_"), **criterion} for criterion in body["testing_criteria"]]
    shape: Shape = {
        "id": new_id("eval_"),
        "object": "eval",
        "created_at": int(time.time()),
        "name": body.get("name") or "Eval",
        "data_source_config": {"type": source.get("type"), "schema": schema},
        "testing_criteria": criteria,
        "metadata": body.get("metadata") or {},
    }
    exchange.memory.objects.add("eval", shape)
    return json_reply(shape)


def list_evals(exchange: Exchange, _: str) -> Reply:
    """The evals."""
    return page(exchange.request, exchange.memory.objects.all("eval"))


def get_eval(exchange: Exchange, eval_id: str) -> Reply:
    """An eval."""
    return json_reply(exchange.memory.objects.get("eval", eval_id).body)


def update_eval(exchange: Exchange, eval_id: str) -> Reply:
    """Change an eval's name and metadata."""
    stored = exchange.memory.objects.get("eval", eval_id)
    body = exchange.request.json_object()
    check_metadata(body)
    stored.body |= {name: body[name] for name in ("name", "metadata") if name in body}
    return json_reply(stored.body)


def delete_eval(exchange: Exchange, eval_id: str) -> Reply:
    """Forget an eval."""
    exchange.memory.objects.remove("eval", eval_id)
    return json_reply({"object": "eval.deleted", "deleted": True, "eval_id": eval_id})


def create_run(exchange: Exchange, eval_id: str) -> Reply:
    """Run an eval on its data, which is done at once."""
    stored = exchange.memory.objects.get("eval", eval_id)
    body = exchange.request.json_object()
    source = body.get("data_source")
    if not isinstance(source, dict):
        raise missing_parameter("data_source")
    items = _items(exchange, source)
    total = len(items)
    now = int(time.time())
    run: Shape = {
        "id": new_id("evalrun_"),
        "object": "eval.run",
        "created_at": now,
        "eval_id": eval_id,
        "name": body.get("name") or "Run",
        "model": source.get("model") or "",
        "status": "completed",
        "data_source": source,
        "error": {"code": "", "message": ""},
        "metadata": body.get("metadata") or {},
        "per_model_usage": [],
        "per_testing_criteria_results": [
            {"testing_criteria": one["id"], "passed": total, "failed": 0}
            for one in stored.body["testing_criteria"]
        ],
        "report_url": "https://simulator.invalid/evals",
        "result_counts": {"total": total, "passed": total, "failed": 0, "errored": 0},
    }
    stored.below.setdefault("run", []).append(run)
    stored.below[run["id"]] = [
        {
            "id": new_id("outputitem_"),
            "object": "eval.run.output_item",
            "created_at": now,
            "run_id": run["id"],
            "eval_id": eval_id,
            "status": "pass",
            "datasource_item_id": number,
            "datasource_item": item,
            "results": [],
            "sample": None,
        }
        for number, item in enumerate(items)
    ]
    return json_reply(run)


def list_runs(exchange: Exchange, eval_id: str) -> Reply:
    """An eval's runs."""
    stored = exchange.memory.objects.get("eval", eval_id)
    return page(exchange.request, stored.below.get("run", [])[::-1])


def get_run(exchange: Exchange, ids: str) -> Reply:
    """A run; cancelling one answers the same, since it is done at once."""
    return json_reply(_run(exchange, ids)[1])


def delete_run(exchange: Exchange, ids: str) -> Reply:
    """Forget a run."""
    stored, run = _run(exchange, ids)
    stored.below["run"].remove(run)
    return json_reply({"object": "eval.run.deleted", "deleted": True, "run_id": run["id"]})


def list_output_items(exchange: Exchange, ids: str) -> Reply:
    """What a run gave."""
    stored, run = _run(exchange, ids)
    return page(exchange.request, stored.below[run["id"]][::-1])


def get_output_item(exchange: Exchange, ids: str) -> Reply:
    """One thing that a run gave."""
    eval_id, run_id, item_id = ids.split("/")
    stored, _ = _run(exchange, f"{eval_id}/{run_id}")
    return json_reply(stored.find_below(run_id, item_id))


def _run(exchange: Exchange, ids: str) -> tuple[StoredObject, Shape]:
    eval_id, run_id = ids.split("/")
    stored = exchange.memory.objects.get("eval", eval_id)
    return stored, stored.find_below("run", run_id)


def _items(exchange: Exchange, source: Shape) -> list[Any]:
    """The items of a run's data."""
    inner: Any = source.get("source") or {}
    if inner.get("type") == "file_content":
        return [one.get("item") for one in inner.get("content", [])][:MAX_OUTPUT_ITEMS]
    if inner.get("type") == "file_id":
        content = exchange.memory.objects.get("file", inner["id"]).content
        lines = [line for line in content.split(b"\n") if line.strip()][:MAX_OUTPUT_ITEMS]
        return [msgspec.json.decode(line, type=dict[str, Any]).get("item") for line in lines]
    return []
