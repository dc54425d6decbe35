"""Storages by URL, with errors of one line, and studies that several workers may begin at once."""

from __future__ import annotations

import os
import re
import time
import warnings
from contextlib import suppress
from typing import Any
from weakref import finalize

import optuna
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from ..exceptions import MissingDependencyError, StudyError
from ._workers import retry_callback

_FORMS = (
    "a path that ends in .journal, a URL such as sqlite:///study.db, postgresql://user@host/name "
    "or grpc://host:13000, or an Optuna storage"
)
_OTHER = "choose another name for the study, or another storage"
_CONTENT = "skser"  # attribute of a study
_PATIENCE = 10.0  # seconds for a server to answer, or another worker to make a study
_MAX_RETRY = 3


def open_storage(storage: Any, grace: int = 120) -> BaseStorage:
    """Open the storage of a path or URL; StudyError in one line, without the password, if not.

    ``grace`` are seconds without a heartbeat after which Optuna repeats a trial in a database.
    """
    if storage is None:
        return optuna.storages.InMemoryStorage()
    if isinstance(storage, BaseStorage):
        return storage
    shown = masked(storage)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return _open(os.fspath(storage), grace)
    except ImportError as error:
        raise MissingDependencyError(
            f"storage {shown} needs a package that is not installed ({reason_of(error)}); "
            "PostgreSQL comes with skser[postgres], gRPC with skser[grpc]"
        ) from error
    except (ArgumentError, TypeError, ValueError):
        raise StudyError(f"storage must be {_FORMS}, got {shown!r}") from None
    except Exception as error:  # each database driver has errors of its own
        raise StudyError(f"storage {shown} cannot be opened ({reason_of(error)})") from error


def _open(text: str, grace: int) -> BaseStorage:
    if text.endswith(".journal"):
        return JournalStorage(JournalFileBackend(text))
    url = make_url(text)
    if url.drivername == "grpc" and url.host:
        proxy = GrpcStorageProxy(host=url.host, port=url.port or 13000)
        proxy.wait_server_ready(timeout=_PATIENCE)
        return proxy
    options: dict[str, Any] = {"pool_pre_ping": True}  # connect again if the server hung up
    is_sqlite = url.drivername.startswith("sqlite")
    if is_sqlite:
        options["connect_args"] = {"timeout": _PATIENCE}  # while another worker writes
    elif url.drivername.startswith("postgres"):
        options["connect_args"] = {"connect_timeout": int(_PATIENCE)}
        if "+" not in url.drivername:
            url = url.set(drivername="postgresql+psycopg")
    whole = url.render_as_string(hide_password=False)
    at_once = (IntegrityError, ProgrammingError, *([OperationalError] if is_sqlite else []))
    for _ in range(5):  # while another worker makes the same tables
        with suppress(*at_once):
            RDBStorage(whole, {**options, "poolclass": NullPool})
            break
        time.sleep(0.2)
    storage = RDBStorage(
        whole,
        options,
        heartbeat_interval=max(1, grace // 4),
        grace_period=grace,
        heartbeat_stale_trial_callback=retry_callback(_MAX_RETRY),
    )
    if is_sqlite:
        _lock_before_reading(storage.engine)
    finalize(storage, storage.engine.dispose)
    return optuna.storages.get_storage(storage)


def _lock_before_reading(engine: Any) -> None:
    """Keep two workers from taking the same trial: SQLite has no SELECT ... FOR UPDATE."""
    engine.dispose()

    @event.listens_for(engine, "connect")
    def disable_implicit_begin(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_immediately(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def open_study(
    storage: Any,
    name: str,
    content: dict[str, str],
    baseline: dict[str, Any],
    grace: int = 120,
    **params: Any,
) -> optuna.Study:
    """Open a study, or create it with its first trial in the queue.

    ``content`` has a hash of each thing that must be the same in all workers. StudyError if it is
    not, or if the storage cannot be opened or written to. ``params`` are the sampler and pruner.
    """
    params.update(storage=open_storage(storage, grace), study_name=name)
    try:
        try:
            study = optuna.create_study(direction="maximize", **params)
            is_new = True
        except optuna.exceptions.DuplicatedStudyError:
            study = optuna.load_study(**params)
            is_new = not _is_begun(study)
        if not is_new:
            _check_content(study, content, f"{name!r} in {masked(storage)}")
        with suppress(IntegrityError):  # if another worker does so at the same moment
            study.set_user_attr(_CONTENT, content)  # fails now if the storage is read-only
        if is_new:
            study.enqueue_trial(**baseline)
    except StudyError:
        raise
    except Exception as error:
        raise StudyError(
            f"storage {masked(storage)} cannot be written to ({reason_of(error)})"
        ) from error
    return study


def _is_begun(study: optuna.Study) -> bool:
    """Whether a study has a first trial, after the time that its maker may need for it."""
    if study.directions != [optuna.study.StudyDirection.MAXIMIZE]:
        return True  # by something else
    end = time.monotonic() + _PATIENCE / 2
    while not study.get_trials(deepcopy=False) and time.monotonic() < end:
        time.sleep(0.1)
    return bool(study.get_trials(deepcopy=False))


def _check_content(study: optuna.Study, content: dict[str, str], where: str) -> None:
    """Raise StudyError for a study of something else."""
    known = study.user_attrs.get(_CONTENT)
    if known is None:
        raise StudyError(f"study {where} was not begun by skser; {_OTHER}")
    changed = [what for what, value in content.items() if known.get(what) != value]
    if changed:
        raise StudyError(
            f"study {where} was begun with another {' and another '.join(changed)}; {_OTHER}"
        )


def masked(storage: Any) -> str:
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
