"""Storages by URL, with errors of one line, and studies that several workers may begin at once."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import finalize

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from .._utils._types import PathLike
from ..exceptions import MissingDependencyError, StudyError
from ._workers import repeat_lost

_FORMS = (
    "a path that ends in .journal, a URL such as sqlite:///study.db, postgresql://user@host/name "
    "or grpc://host:13000, or an Optuna storage"
)
_REMEDY = "choose another name for the study, or another storage"
_CONTENT = "skser"  # attribute of a study
_PATIENCE = 10.0  # seconds for a server to respond, or another worker to create a study


def open_storage(storage: PathLike | BaseStorage | None, grace: int = 120) -> BaseStorage:
    """Open the storage of a path or URL; StudyError in one line, without the password, if not.

    ``grace`` are seconds without a heartbeat after which Optuna repeats a trial in a database.
    """
    if storage is None:
        return optuna.storages.InMemoryStorage()
    if isinstance(storage, BaseStorage):
        return storage
    shown = masked(storage)
    try:
        text = os.fspath(storage)
        if text.endswith(".journal"):
            return JournalStorage(JournalFileBackend(text))
        url = make_url(text)
        return _open_proxy(url) if url.drivername == "grpc" else _open_database(url, grace)
    except ImportError as error:
        raise MissingDependencyError(
            f"storage {shown} needs a package that is not installed ({reason_of(error)}); "
            "PostgreSQL comes with skser[postgres], gRPC with skser[grpc]"
        ) from error
    except (ArgumentError, TypeError, ValueError):
        raise StudyError(f"storage must be {_FORMS}, got {shown!r}") from None
    except Exception as error:  # each database driver has errors of its own
        raise StudyError(f"storage {shown} cannot be opened ({reason_of(error)})") from error


def _open_proxy(url: URL) -> GrpcStorageProxy:
    if not url.host:
        raise ValueError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        proxy = GrpcStorageProxy(host=url.host, port=url.port or 13000)
    proxy.wait_server_ready(timeout=_PATIENCE)
    return proxy


def _open_database(url: URL, grace: int) -> BaseStorage:
    options: dict[str, Any] = {"pool_pre_ping": True}  # connect again if the server hung up
    conflicts: tuple[type[Exception], ...] = (IntegrityError, ProgrammingError)
    is_sqlite = url.drivername.startswith("sqlite")
    if is_sqlite:
        options["connect_args"] = {"timeout": _PATIENCE}  # while another worker writes
        conflicts = (*conflicts, OperationalError)
    elif url.drivername.startswith("postgres"):
        options["connect_args"] = {"connect_timeout": int(_PATIENCE)}
        if "+" not in url.drivername:
            url = url.set(drivername="postgresql+psycopg")
    text = url.render_as_string(hide_password=False)
    for _ in range(5):  # while another worker creates the same tables
        with suppress(*conflicts):
            RDBStorage(text, {**options, "poolclass": NullPool})
            break
        time.sleep(0.2)
    storage = RDBStorage(text, options)
    # As arguments they raise an ExperimentalWarning, which cannot be ignored in one thread alone.
    storage.heartbeat_interval = max(1, grace // 4)
    storage.grace_period = grace
    storage.heartbeat_stale_trial_callback = repeat_lost
    if is_sqlite:
        _lock_before_reading(storage.engine)
    finalize(storage, storage.engine.dispose)
    return optuna.storages.get_storage(storage)


def _lock_before_reading(engine: Engine) -> None:
    """Keep two workers from taking the same trial: SQLite has no SELECT ... FOR UPDATE."""
    engine.dispose()

    @event.listens_for(engine, "connect")
    def disable_implicit_begin(connection: Any, record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_immediately(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def open_study(
    storage: PathLike | BaseStorage | None,
    name: str,
    content: Mapping[str, str],
    grace: int = 120,
    **params: BaseSampler | BasePruner,
) -> optuna.Study:
    """Open a study, or create it.

    ``content`` has a hash of each thing that must be the same in all workers. StudyError if it is
    not, or if the storage cannot be opened or written to. ``params`` are the sampler and pruner.
    """
    place: Any = {"storage": open_storage(storage, grace), "study_name": name, **params}
    try:
        try:
            study = optuna.create_study(direction="maximize", **place)
        except optuna.exceptions.DuplicatedStudyError:
            study = optuna.load_study(**place)
            _check_content(study, content, f"{name!r} in {masked(storage)}")
        with suppress(IntegrityError):  # if another worker does so at the same moment
            study.set_user_attr(_CONTENT, content)  # fails now if the storage is read-only
    except StudyError:
        raise
    except Exception as error:
        raise StudyError(
            f"storage {masked(storage)} cannot be written to ({reason_of(error)})"
        ) from error
    return study


def _check_content(study: optuna.Study, content: Mapping[str, str], where: str) -> None:
    """Raise StudyError for a study of other content."""
    end = time.monotonic() + _PATIENCE / 2  # for the worker that has just created it
    while True:
        is_foreign = study.directions != [StudyDirection.MAXIMIZE] or bool(study.get_trials())
        known = study.user_attrs.get(_CONTENT)  # skser sets it before the first trial
        if known or time.monotonic() > end:
            break
        if is_foreign:
            raise StudyError(f"study {where} was not begun by skser; {_REMEDY}")
        time.sleep(0.1)
    changed = [name for name, value in content.items() if known and known.get(name) != value]
    if changed:
        raise StudyError(
            f"study {where} was begun with another {' and another '.join(changed)}; {_REMEDY}"
        )


def masked(storage: object) -> str:
    """Text of a storage for a message, without its password."""
    text = type(storage).__name__ if isinstance(storage, BaseStorage) else str(storage)
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", text)


def is_storage_error(error: BaseException) -> bool:
    """Whether an error comes from a storage and not from a trial."""
    kinds = (optuna.exceptions.StorageInternalError, SQLAlchemyError)
    return isinstance(error, kinds) or type(error).__module__.partition(".")[0] == "grpc"


def reason_of(error: BaseException) -> str:
    """First line of the innermost error that has a message."""
    reason = type(error).__name__
    inner: BaseException | None = error
    while inner is not None:
        reason = next(iter(str(inner).strip().splitlines()), reason)
        inner = inner.__cause__ or inner.__context__
    return reason
