"""Every operation on a provider's objects that is served: the table that all else goes by.

To add one, write a line. What is not here is refused, unless an operator lets it pass by name.
"""

from __future__ import annotations

from headgate.gateway.objects.kind import Kind
from headgate.gateway.objects.operation import Cost, Effect, Learnt, Operation, Verb

_BATCH_FILES = (Learnt("output_file_id", "file"), Learnt("error_file_id", "file"))
_JOB_MADE = (Learnt("result_files", "file"), Learnt("fine_tuned_model", "fine_tuned_model"))
_UPLOADED = (Learnt("file", "file"),)


def _op(
    method: Verb,
    path: str,
    effect: Effect,
    summary: str,
    *,
    kind: Kind | None = None,
    cost: Cost = "free",
    runs_models: bool = False,
    runs_file: bool = False,
    takes_form: bool = False,
    learns: tuple[Learnt, ...] = (),
    page_limits: tuple[int, int] = (20, 100),
    may_be_nameless: bool = False,
    listed_as: str | None = None,
) -> Operation:
    return Operation(
        method=method,
        path=path,
        effect=effect,
        summary=summary,
        kind=kind,
        cost=cost,
        runs_models=runs_models,
        runs_file=runs_file,
        takes_form=takes_form,
        learns=learns,
        page_limits=page_limits,
        may_be_nameless=may_be_nameless,
        listed_as=listed_as,
    )


_FILES = (
    _op("POST", "/files", "make", "Upload a file", kind="file", takes_form=True),
    _op("GET", "/files", "list", "List the project's files", kind="file",
        page_limits=(10_000, 10_000)),
    _op("GET", "/files/{file}", "read", "Show a file"),
    _op("DELETE", "/files/{file}", "delete", "Delete a file", kind="file"),
    _op("GET", "/files/{file}/content", "content", "Download a file"),
)  # fmt: skip

_UPLOADS = (
    _op("POST", "/uploads", "make", "Begin an upload in parts", kind="upload"),
    _op("POST", "/uploads/{upload}/parts", "change", "Upload a part", takes_form=True),
    _op("POST", "/uploads/{upload}/complete", "change", "Make a file of the parts",
        learns=_UPLOADED),
    _op("POST", "/uploads/{upload}/cancel", "change", "Give an upload up"),
)  # fmt: skip

_BATCHES = (
    _op("POST", "/batches", "make", "Begin a batch", kind="batch", cost="later",
        runs_file=True, learns=_BATCH_FILES),
    _op("GET", "/batches", "list", "List the project's batches", kind="batch",
        learns=_BATCH_FILES),
    _op("GET", "/batches/{batch}", "read", "Show a batch", learns=_BATCH_FILES),
    _op("POST", "/batches/{batch}/cancel", "change", "Cancel a batch", learns=_BATCH_FILES),
)  # fmt: skip

_CONVERSATIONS = (
    _op("POST", "/conversations", "make", "Begin a conversation", kind="conversation"),
    _op("GET", "/conversations/{conversation}", "read", "Show a conversation"),
    _op("POST", "/conversations/{conversation}", "change", "Change a conversation's metadata"),
    _op("DELETE", "/conversations/{conversation}", "delete", "Delete a conversation",
        kind="conversation"),
    _op("GET", "/conversations/{conversation}/items", "read", "List a conversation's items"),
    _op("POST", "/conversations/{conversation}/items", "change", "Add items to a conversation"),
    _op("GET", "/conversations/{conversation}/items/{item}", "read", "Show an item"),
    _op("DELETE", "/conversations/{conversation}/items/{item}", "change", "Delete an item"),
)  # fmt: skip

_STORE = "/vector_stores/{vector_store}"
_VECTOR_STORES = (
    _op("POST", "/vector_stores", "make", "Make a vector store", kind="vector_store",
        cost="unknown"),
    _op("GET", "/vector_stores", "list", "List the project's vector stores",
        kind="vector_store"),
    _op("GET", _STORE, "read", "Show a vector store"),
    _op("POST", _STORE, "change", "Change a vector store"),
    _op("DELETE", _STORE, "delete", "Delete a vector store", kind="vector_store"),
    _op("POST", f"{_STORE}/search", "change", "Search a vector store", cost="unknown"),
    _op("POST", f"{_STORE}/files", "change", "Add a file to a vector store", cost="unknown"),
    _op("GET", f"{_STORE}/files", "read", "List a vector store's files"),
    _op("GET", f"{_STORE}/files/{{member}}", "read", "Show a vector store's file"),
    _op("POST", f"{_STORE}/files/{{member}}", "change", "Change a file's attributes"),
    _op("DELETE", f"{_STORE}/files/{{member}}", "change", "Take a file out of a vector store"),
    _op("GET", f"{_STORE}/files/{{member}}/content", "read", "Show what was read from a file"),
    _op("POST", f"{_STORE}/file_batches", "change", "Add several files", cost="unknown"),
    _op("GET", f"{_STORE}/file_batches/{{member}}", "read", "Show how far several files are"),
    _op("POST", f"{_STORE}/file_batches/{{member}}/cancel", "change", "Stop adding them"),
    _op("GET", f"{_STORE}/file_batches/{{member}}/files", "read", "List the files of one go"),
)  # fmt: skip

_JOB = "/fine_tuning/jobs/{fine_tuning_job}"
_FINE_TUNING = (
    _op("POST", "/fine_tuning/jobs", "make", "Begin to fine-tune a model",
        kind="fine_tuning_job", cost="unknown", runs_models=True, learns=_JOB_MADE),
    _op("GET", "/fine_tuning/jobs", "list", "List the project's fine-tuning jobs",
        kind="fine_tuning_job", learns=_JOB_MADE),
    _op("GET", _JOB, "read", "Show a fine-tuning job", learns=_JOB_MADE),
    _op("POST", f"{_JOB}/cancel", "change", "Cancel a fine-tuning job", learns=_JOB_MADE),
    _op("POST", f"{_JOB}/pause", "change", "Pause a fine-tuning job", learns=_JOB_MADE),
    _op("POST", f"{_JOB}/resume", "change", "Go on with a fine-tuning job", cost="unknown",
        learns=_JOB_MADE),
    _op("GET", f"{_JOB}/events", "read", "List a fine-tuning job's events"),
    _op("GET", f"{_JOB}/checkpoints", "read", "List a fine-tuning job's checkpoints"),
    _op("POST", "/fine_tuning/alpha/graders/run", "change", "Try a grader", cost="unknown",
        runs_models=True),
    _op("POST", "/fine_tuning/alpha/graders/validate", "change", "Check a grader"),
)  # fmt: skip

_CONTAINERS = (
    _op("POST", "/containers", "make", "Make a container", kind="container", cost="unknown"),
    _op("GET", "/containers", "list", "List the project's containers", kind="container"),
    _op("GET", "/containers/{container}", "read", "Show a container"),
    _op("DELETE", "/containers/{container}", "delete", "Delete a container", kind="container"),
    _op("POST", "/containers/{container}/files", "change", "Put a file into a container",
        takes_form=True),
    _op("GET", "/containers/{container}/files", "read", "List a container's files"),
    _op("GET", "/containers/{container}/files/{member}", "read", "Show a container's file"),
    _op("DELETE", "/containers/{container}/files/{member}", "change",
        "Take a file out of a container"),
    _op("GET", "/containers/{container}/files/{member}/content", "content",
        "Download a container's file"),
)  # fmt: skip

_RUN = "/evals/{eval}/runs/{run}"
_EVALS = (
    _op("POST", "/evals", "make", "Make an eval", kind="eval"),
    _op("GET", "/evals", "list", "List the project's evals", kind="eval"),
    _op("GET", "/evals/{eval}", "read", "Show an eval"),
    _op("POST", "/evals/{eval}", "change", "Change an eval"),
    _op("DELETE", "/evals/{eval}", "delete", "Delete an eval", kind="eval"),
    _op("POST", "/evals/{eval}/runs", "change", "Run an eval", cost="unknown",
        runs_models=True),
    _op("GET", "/evals/{eval}/runs", "read", "List an eval's runs"),
    _op("GET", _RUN, "read", "Show a run of an eval"),
    _op("POST", _RUN, "change", "Cancel a run of an eval"),
    _op("POST", f"{_RUN}/cancel", "change", "Cancel a run of an eval"),
    _op("DELETE", _RUN, "change", "Delete a run of an eval"),
    _op("GET", f"{_RUN}/output_items", "read", "List what a run of an eval gave"),
    _op("GET", f"{_RUN}/output_items/{{item}}", "read", "Show one thing that a run gave"),
)  # fmt: skip

_COMPLETION = "/chat/completions/{chat_completion}"
_CHAT_COMPLETIONS = (
    _op("GET", "/chat/completions", "list", "List the project's stored chat completions",
        kind="chat_completion"),
    _op("GET", _COMPLETION, "read", "Show a stored chat completion"),
    _op("POST", _COMPLETION, "change", "Change a stored chat completion's metadata"),
    _op("DELETE", _COMPLETION, "delete", "Delete a stored chat completion",
        kind="chat_completion"),
    _op("GET", f"{_COMPLETION}/messages", "read", "List what a stored chat completion was asked"),
)  # fmt: skip

_MODELS = (
    _op("DELETE", "/models/{fine_tuned_model}", "delete", "Delete a fine-tuned model",
        kind="fine_tuned_model", listed_as="/models/{model:path}"),
)  # fmt: skip

_VIDEOS = (
    _op("POST", "/videos", "make", "Begin to make a video", kind="video", cost="unknown",
        runs_models=True, takes_form=True),
    _op("GET", "/videos", "list", "List the project's videos", kind="video"),
    _op("POST", "/videos/characters", "make", "Make a character of a video",
        kind="video_character", cost="unknown", takes_form=True, may_be_nameless=True),
    _op("GET", "/videos/characters/{video_character}", "read", "Show a character"),
    _op("POST", "/videos/edits", "make", "Make a video of a video", kind="video",
        cost="unknown", runs_models=True, takes_form=True),
    _op("POST", "/videos/extensions", "make", "Make a video longer", kind="video",
        cost="unknown", runs_models=True, takes_form=True),
    _op("GET", "/videos/{video}", "read", "Show a video"),
    _op("DELETE", "/videos/{video}", "delete", "Delete a video", kind="video"),
    _op("GET", "/videos/{video}/content", "content", "Download a video"),
    _op("POST", "/videos/{video}/remix", "make", "Make a video anew with a change",
        kind="video", cost="unknown", runs_models=True),
)  # fmt: skip

_SKILL = "/skills/{skill}"
_SKILLS = (
    _op("POST", "/skills", "make", "Make a skill", kind="skill", takes_form=True),
    _op("GET", "/skills", "list", "List the project's skills", kind="skill"),
    _op("GET", _SKILL, "read", "Show a skill"),
    _op("POST", _SKILL, "change", "Change a skill's default version"),
    _op("DELETE", _SKILL, "delete", "Delete a skill", kind="skill"),
    _op("GET", f"{_SKILL}/content", "content", "Download a skill"),
    _op("POST", f"{_SKILL}/versions", "change", "Add a version to a skill", takes_form=True),
    _op("GET", f"{_SKILL}/versions", "read", "List a skill's versions"),
    _op("GET", f"{_SKILL}/versions/{{member}}", "read", "Show a skill's version"),
    _op("DELETE", f"{_SKILL}/versions/{{member}}", "change", "Delete a skill's version"),
    _op("GET", f"{_SKILL}/versions/{{member}}/content", "content",
        "Download a skill's version"),
)  # fmt: skip

PROVIDER_SECRETS = (
    _op("POST", "/realtime/client_secrets", "change",
        "Make a secret for a client that speaks to the provider by itself", cost="unknown",
        runs_models=True),
)  # fmt: skip
"""Served where an operator lets clients speak to the provider by themselves."""

OPERATIONS: tuple[Operation, ...] = (
    *_FILES,
    *_UPLOADS,
    *_BATCHES,
    *_CONVERSATIONS,
    *_VECTOR_STORES,
    *_FINE_TUNING,
    *_CONTAINERS,
    *_EVALS,
    *_CHAT_COMPLETIONS,
    *_MODELS,
    *_VIDEOS,
    *_SKILLS,
)
