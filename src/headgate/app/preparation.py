"""What is done once before any worker starts: the schema, the projects, the administrator's key."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from headgate.app.plan import Plan
from headgate.config.load import FILE_NAME
from headgate.config.settings import Settings
from headgate.errors import ConfigError
from headgate.intake.access.first_key import ensure_admin_key
from headgate.intake.access.projects import DEFAULT_PROJECT, ProjectStore
from headgate.intake.access.secret import load_secret
from headgate.storage import Database, migrate

_log = logging.getLogger(__name__)


def prepare(plan: Plan, admin_key: str | None) -> str | None:
    """Bring the database to where workers can start; return an admin key to be shown, if made.

    Raises `ConfigError` and `DatabaseUnavailableError`.
    """
    _check_cache(plan.settings)
    _check_queries(plan)
    database = open_database(plan)
    try:
        migrate(database)
        secret = load_secret(database, plan.secret_key)
        shown = ensure_admin_key(database, secret, admin_key)
        _ensure_projects(plan, database)
        return shown
    finally:
        database.close()


def prepare_without_keys(plan: Plan) -> None:
    """As `prepare`, for a process that nobody calls: no key is made, adopted or revoked."""
    _check_cache(plan.settings)
    _check_queries(plan)
    database = open_database(plan)
    try:
        migrate(database)
        load_secret(database, plan.secret_key)
        _ensure_projects(plan, database)
    finally:
        database.close()


def _ensure_projects(plan: Plan, database: Database) -> None:
    wanted = {name: project.description for name, project in plan.settings.projects.items()}
    ProjectStore(database).ensure({DEFAULT_PROJECT: ""} | wanted)


def _check_queries(plan: Plan) -> None:
    """`ConfigError` where a database says that a declared query does more than read."""
    if plan.folder is None or not any(one.sql for one in plan.settings.connectors.values()):
        return
    # Most projects have no such connector.
    from headgate.context.query_checks import query_findings  # noqa: PLC0415

    file = plan.folder / FILE_NAME
    found = query_findings(plan.settings.connectors, file, ask_servers=True)
    if refused := [one.message for one in found if one.refused]:
        raise ConfigError(refused[0], problems=tuple(refused))
    for one in found:
        _log.warning("a connector's query can't be answered as its database is now", extra={
            "query": one.message,
        })  # fmt: skip


def open_database(plan: Plan) -> Database:
    """The database that the plan names; nothing of it is read yet."""
    return Database(plan.database_url, durable=plan.settings.ledger.durability == "durable")


def _check_cache(settings: Settings) -> None:
    """Raise `ConfigError` where the cache needs what is not installed."""
    cache = settings.cache
    if cache is not None and cache.store == "redis" and find_spec("redis") is None:
        raise ConfigError(
            "cache.store: redis needs the Redis client; install it with"
            " `pip install 'headgate[redis]'`"
        )
