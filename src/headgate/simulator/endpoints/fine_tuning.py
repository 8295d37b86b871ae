"""/v1/fine_tuning/jobs: a job that is done when it is looked at next."""

from __future__ import annotations

import time

from headgate.simulator.endpoints.files import add_file
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.models import FINE_TUNED
from headgate.simulator.endpoints.object_store import Shape, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.parameters import Parameter, check_metadata, check_parameters
from headgate.simulator.wire.reply import Reply, json_reply

_PARAMETERS = (
    Parameter("model", "string", required=True),
    Parameter("training_file", "string", required=True),
    Parameter("hyperparameters", "object"),
    Parameter("integrations", "array"),
    Parameter("metadata", "object"),
    Parameter("method", "object"),
    Parameter("seed", "integer"),
    Parameter("suffix", "string"),
    Parameter("validation_file", "string"),
)
_ENDED = ("succeeded", "failed", "cancelled")


def create_job(exchange: Exchange, _: str) -> Reply:
    """Begin to fine-tune."""
    body = exchange.request.json_object()
    check_parameters(body, _PARAMETERS, refuse_unknown=exchange.refuse_unknown)
    check_metadata(body)
    objects = exchange.memory.objects
    for name in ("training_file", "validation_file"):
        if body.get(name) is not None:
            objects.get("file", body[name])
    shape: Shape = {
        "id": new_id("ftjob-"),
        "object": "fine_tuning.job",
        "created_at": int(time.time()),
        "error": None,
        "fine_tuned_model": None,
        "finished_at": None,
        "hyperparameters": {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8},
        "model": body["model"],
        "organization_id": "headgate-simulator",
        "result_files": [],
        "seed": body.get("seed") or 42,
        "status": "validating_files",
        "trained_tokens": None,
        "training_file": body["training_file"],
        "validation_file": body.get("validation_file"),
        "estimated_finish": None,
        "integrations": [],
        "metadata": body.get("metadata"),
        "method": body.get("method") or {"type": "supervised"},
    }
    stored = objects.add("fine_tuning_job", dict(shape))
    _event(stored.below.setdefault("event", []), f"Created fine-tuning job: {shape['id']}")
    return json_reply(shape)


def list_jobs(exchange: Exchange, _: str) -> Reply:
    """The jobs."""
    found = exchange.memory.objects.all("fine_tuning_job")
    for job in found:
        _finish(exchange, job)
    return page(exchange.request, found)


def get_job(exchange: Exchange, job_id: str) -> Reply:
    """A job, by now done unless it was stopped."""
    job = exchange.memory.objects.get("fine_tuning_job", job_id).body
    _finish(exchange, job)
    return json_reply(job)


def cancel_job(exchange: Exchange, job_id: str) -> Reply:
    """Stop a job that nobody has looked at yet."""
    return _turned(exchange, job_id, "cancelled")


def pause_job(exchange: Exchange, job_id: str) -> Reply:
    """Let a job rest."""
    return _turned(exchange, job_id, "paused")


def resume_job(exchange: Exchange, job_id: str) -> Reply:
    """Go on with a job."""
    return _turned(exchange, job_id, "running")


def list_events(exchange: Exchange, job_id: str) -> Reply:
    """What happened to a job."""
    stored = exchange.memory.objects.get("fine_tuning_job", job_id)
    return page(exchange.request, stored.below.get("event", [])[::-1])


def list_checkpoints(exchange: Exchange, job_id: str) -> Reply:
    """A job's checkpoints."""
    stored = exchange.memory.objects.get("fine_tuning_job", job_id)
    return page(exchange.request, stored.below.get("checkpoint", [])[::-1])


def _turned(exchange: Exchange, job_id: str, status: str) -> Reply:
    job = exchange.memory.objects.get("fine_tuning_job", job_id)
    if job.body["status"] in _ENDED:
        raise ApiError(400, f"Job has already {job.body['status']}.")
    job.body["status"] = status
    _event(job.below.setdefault("event", []), f"The job is {status}.")
    return json_reply(job.body)


def _finish(exchange: Exchange, job: Shape) -> None:
    if job["status"] not in ("validating_files", "running"):
        return
    now = int(time.time())
    stored = exchange.memory.objects.get("fine_tuning_job", job["id"])
    name = f"ft:{job['model']}:simulator::{job['id'][-8:]}"
    metrics = add_file(
        exchange, "step_metrics.csv", "fine-tune-results", b"step,train_loss\n1,1.5\n"
    )
    exchange.memory.objects.add(
        FINE_TUNED,
        {"id": name, "object": "model", "created": now, "owned_by": job["organization_id"]},
    )
    job |= {
        "status": "succeeded",
        "finished_at": now,
        "fine_tuned_model": name,
        "trained_tokens": len(
            exchange.memory.objects.get("file", job["training_file"]).content
        ) // 4,
        "result_files": [metrics["id"]],
    }  # fmt: skip
    _event(stored.below.setdefault("event", []), "The job has successfully completed")
    stored.below.setdefault("checkpoint", []).append(
        {
            "id": new_id("ftckpt_"),
            "object": "fine_tuning.job.checkpoint",
            "created_at": now,
            "fine_tuned_model_checkpoint": f"{name}:ckpt-step-1",
            "fine_tuning_job_id": job["id"],
            "metrics": {"step": 1, "train_loss": 1.5, "train_mean_token_accuracy": 0.7},
            "step_number": 1,
        }
    )


def _event(events: list[Shape], message: str) -> None:
    events.append(
        {
            "id": new_id("ftevent-"),
            "object": "fine_tuning.job.event",
            "created_at": int(time.time()),
            "level": "info",
            "message": message,
            "data": {},
            "type": "message",
        }
    )
