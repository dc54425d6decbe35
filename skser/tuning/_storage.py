"""Storages by a text, and studies in them that several workers may begin at the same time."""

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
from optuna.trial import TrialState
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

_OURS = "skser"  # the attribute of a study that says what it is of
_FORMS = (
    "a path that ends in .journal, a URL such as sqlite:///study.db, postgresql://user@host/name "
    "or grpc://host:13000, or an Optuna storage"
)
_OTHER = "choose another name for the study, or another storage"
_TRIES = 5
_MAKING = 5.0  # seconds for a worker between making a study and saying what it is of
_PATIENCE = 10.0  # seconds for a server to answer


def open_storage(storage: Any) -> BaseStorage:
    """The storage that a text means.

    Raises
    ------
    StudyError
        It is no storage, or cannot be reached.
    """
    if storage is None:
        return optuna.storages.InMemoryStorage()
    if isinstance(storage, BaseStorage):
        return storage
    if not isinstance(storage, (str, os.PathLike)):
        raise StudyError(f"storage must be {_FORMS}, got {storage!r}")
    text = os.fspath(storage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            if text.endswith(".journal"):
                return JournalStorage(JournalFileBackend(text))
            if text.startswith("grpc://"):
                return _open_proxy(text)
            return _open_database(text)
        except StudyError:
            raise
        except ImportError as error:
            raise MissingDependencyError(
                f"storage {shown(text)} needs a package that is not installed "
                f"({reason_of(error)}); PostgreSQL comes with skser[postgres], gRPC with "
                "skser[grpc]"
            ) from error
        except (ArgumentError, ValueError):
            raise StudyError(f"storage must be {_FORMS}, got {shown(text)!r}") from None
        except Exception as error:
            # Each database driver has errors of its own.
            raise StudyError(
                f"storage {shown(text)} cannot be opened ({reason_of(error)})"
            ) from error


def shown(storage: Any) -> str:
    """A storage as a message may show it, without its password."""
    if not isinstance(storage, (str, os.PathLike)):
        return type(storage).__name__
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", os.fspath(storage))


def is_of_storage(error: BaseException) -> bool:
    """Whether an error says that a storage is away, and nothing of the trial."""
    kinds = (optuna.exceptions.StorageInternalError, SQLAlchemyError)
    return isinstance(error, kinds) or type(error).__module__.partition(".")[0] == "grpc"


def open_study(
    storage: Any, name: str, sampler: Any, pruner: Any, about: dict[str, str], baseline: dict
) -> optuna.Study:
    """The study of a name, made if there is none, with its first trial in the queue.

    ``about`` is what a study is of; one that is there already must be of the same.

    Raises
    ------
    StudyError
        The storage cannot be opened or written to, or the study is of something else.
    """
    opened = open_storage(storage)
    where = f"{name!r} in {shown(storage)}"
    try:
        try:
            study = optuna.create_study(
                storage=opened,
                study_name=name,
                direction="maximize",
                sampler=sampler,
                pruner=pruner,
            )
            is_new = True
        except optuna.exceptions.DuplicatedStudyError:
            study = optuna.load_study(
                storage=opened, study_name=name, sampler=sampler, pruner=pruner
            )
            is_new = not _is_begun(study, where)
        if is_new:
            study.enqueue_trial(**baseline)
            study.set_user_attr(_OURS, about)
        # Tells whether it can be written to. Two workers that do so at once are told that, too.
        with suppress(IntegrityError):
            study.set_user_attr("opened", time.time())
    except StudyError:
        raise
    except Exception as error:
        raise StudyError(
            f"storage {shown(storage)} cannot be written to ({reason_of(error)})"
        ) from error
    _check_same(study.user_attrs[_OURS], about, where)
    return study


def _is_begun(study: optuna.Study, where: str) -> bool:
    """Whether a study that is there has what belongs to it; its worker may be at it, or dead."""
    if study.directions != [optuna.study.StudyDirection.MAXIMIZE]:
        raise StudyError(f"study {where} must be one that maximises; {_OTHER}")
    end = time.monotonic() + _MAKING
    while _OURS not in study.user_attrs:
        trials = study.get_trials(deepcopy=False)
        if any(trial.state != TrialState.WAITING for trial in trials):
            raise StudyError(f"study {where} was not begun by skser; {_OTHER}")
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _check_same(known: Any, about: dict[str, str], where: str) -> None:
    """Raise StudyError for a study of something else."""
    changed = [what for what, value in about.items() if known.get(what) != value]
    if changed:
        raise StudyError(
            f"study {where} was begun with another {' and another '.join(changed)}; {_OTHER}"
        )


def _open_proxy(text: str) -> BaseStorage:
    host, _, port = text.removeprefix("grpc://").rstrip("/").partition(":")
    if not host or (port and not port.isdigit()):
        raise StudyError(f"storage must be {_FORMS}, got {text!r}")
    proxy = GrpcStorageProxy(host=host, port=int(port or 13000))
    proxy.wait_server_ready(timeout=_PATIENCE)
    return proxy


def _open_database(text: str) -> BaseStorage:
    url = make_url(text)
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    # A connection that the server has closed meanwhile is made anew.
    options: dict[str, Any] = {"pool_pre_ping": True}
    is_sqlite = url.drivername.startswith("sqlite")
    if is_sqlite:
        options["connect_args"] = {"timeout": _PATIENCE}  # while another worker writes
    if url.drivername.startswith("postgresql"):
        options["connect_args"] = {"connect_timeout": int(_PATIENCE)}
    whole = url.render_as_string(hide_password=False)
    # Another worker may be making the tables. Connections of such an attempt are closed, not kept.
    at_once = (IntegrityError, ProgrammingError, *([OperationalError] if is_sqlite else []))
    once = {**options, "poolclass": NullPool}
    for _ in range(_TRIES):
        with suppress(*at_once):
            RDBStorage(whole, engine_kwargs=once)
            break
        time.sleep(0.2)
    else:
        RDBStorage(whole, engine_kwargs=once)
    storage = RDBStorage(whole, engine_kwargs=options)
    if is_sqlite:
        _lock_while_reading(storage.engine)
    finalize(storage, storage.engine.dispose)  # of open connections, which nobody else would close
    return optuna.storages.get_storage(storage)


def _lock_while_reading(engine: Any) -> None:
    """Let one worker at a time read what it will write, which SQLite has no other words for."""
    engine.dispose()

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def lock(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def reason_of(error: BaseException) -> str:
    """The first line of the innermost error that says something."""
    inner: BaseException | None = error
    reason = type(error).__name__
    while inner is not None:
        reason = next(iter(str(inner).strip().splitlines()), reason)
        inner = inner.__cause__ or inner.__context__
    return reason
