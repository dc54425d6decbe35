import os
import re
import threading
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
from optuna.storages import InMemoryStorage, JournalStorage, get_storage, run_grpc_proxy_server

from skser.exceptions import MissingDependencyError, StudyError
from skser.tuning._storage import masked, open_storage, open_study

optuna.logging.set_verbosity(optuna.logging.ERROR)
CONTENT = {"pipeline": "a", "space": "b", "corpus": "c", "division into folds": "d"}
FORMS = "storage must be a path that ends in .journal, a URL .*, or an Optuna storage, got "


def opened(storage, name="study", content=CONTENT):
    return open_study(storage, name, content)


def finish(study, value):
    study.optimize(lambda trial: value, n_trials=1)


@pytest.fixture(params=["memory", "journal", "sqlite", "postgres"])
def storage(request, tmp_path):
    if request.param == "memory":
        return InMemoryStorage()
    if request.param == "journal":
        return tmp_path / "study.journal"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/study.db"
    return request.getfixturevalue("postgres")


@pytest.mark.slow
def test_a_study_is_created_once_and_then_resumed(storage):
    first, second = opened(storage), opened(storage)
    assert second.study_name == "study"
    assert first.direction == optuna.study.StudyDirection.MAXIMIZE
    assert second.user_attrs == {"skser": CONTENT}
    finish(second, 0.5)
    assert opened(storage).best_value == 0.5


@pytest.mark.slow
def test_a_study_of_other_content_is_refused(storage):
    opened(storage)
    for what in CONTENT:
        shown = re.escape(masked(storage))
        with pytest.raises(StudyError, match=f"study 'study' in {shown} .*another {what}; choose"):
            opened(storage, content={**CONTENT, what: "other"})
    assert opened(storage, "other", {**CONTENT, "space": "other"}).study_name == "other"


def test_a_study_of_another_program_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    storage = open_storage(url)
    study = optuna.create_study(storage=storage, study_name="theirs", direction="maximize")
    study.optimize(lambda trial: 1.0, n_trials=1)
    with pytest.raises(StudyError, match=r"study 'theirs' in sqlite:.* was not begun by skser; "):
        opened(url, "theirs")
    optuna.create_study(storage=storage, study_name="smallest", direction="minimize")
    with pytest.raises(StudyError, match=r"study 'smallest' in .* was not begun by skser; "):
        opened(url, "smallest")


def test_a_worker_that_died_in_between_leaves_a_study_that_can_be_used(tmp_path, monkeypatch):
    monkeypatch.setattr("skser.tuning._storage._PATIENCE", 0.2)
    url = f"sqlite:///{tmp_path}/study.db"
    optuna.create_study(storage=open_storage(url), study_name="study", direction="maximize")
    study = opened(url)
    assert study.user_attrs["skser"] == CONTENT


@pytest.mark.slow
def test_many_workers_may_begin_at_once(postgres):
    with ThreadPoolExecutor(8) as pool:
        studies = list(pool.map(lambda _: opened(postgres, "at once"), range(8)))
    assert [study.user_attrs for study in studies] == [{"skser": CONTENT}] * 8


@pytest.mark.slow
def test_through_a_proxy(tmp_path, free_port):
    pytest.importorskip("grpc")
    database = get_storage(f"sqlite:///{tmp_path}/study.db")
    server = threading.Thread(
        target=run_grpc_proxy_server, args=(database,), kwargs={"port": free_port}, daemon=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        server.start()
        study = opened(f"grpc://localhost:{free_port}")
    finish(study, 0.25)
    assert opened(f"sqlite:///{tmp_path}/study.db").best_value == 0.25


def test_without_a_storage_studies_are_in_memory():
    assert isinstance(open_storage(None), InMemoryStorage)


def test_a_journal_is_a_file(tmp_path):
    assert isinstance(open_storage(tmp_path / "a.journal"), JournalStorage)
    assert isinstance(open_storage(os.fspath(tmp_path / "b.journal")), JournalStorage)
    assert sorted(os.listdir(tmp_path)) == ["a.journal", "b.journal"]


def test_passwords_are_masked():
    assert masked("postgresql://me:secret@host:5/db") == "postgresql://me:***@host:5/db"
    with pytest.raises(StudyError) as caught:
        open_storage("postgresql://me:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith(
        "storage postgresql://me:***@127.0.0.1:1/db cannot be opened (connection failed: "
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("study", FORMS + "'study'"),
        (5, FORMS + "'5'"),
        ("grpc://", FORMS + "'grpc://'"),
        ("postgresql://me:secret@host:port/db", FORMS + r"'postgresql://me:\*\*\*@host:port/db'"),
        ("grpc://host:port", FORMS + "'grpc://host:port'"),
        ("/nowhere/study.journal", "storage /nowhere/study.journal cannot .*No such file"),
        ("sqlite:////nowhere/study.db", "storage sqlite:////nowhere/study.db cannot .*unable to"),
    ],
)
def test_wrong_storages(storage, message):
    with pytest.raises(StudyError, match=message):
        open_storage(storage)


def test_a_package_that_is_not_installed():
    with pytest.raises(MissingDependencyError, match=r"mysql://host/db needs .*'MySQLdb'.*skser\["):
        open_storage("mysql://host/db")


def test_a_database_that_may_only_be_read(tmp_path):
    path = tmp_path / "study.db"
    opened(f"sqlite:///{path}")
    with pytest.raises(StudyError, match=r"cannot be .* \(attempt to write a readonly"):
        opened(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_a_user_who_may_only_read(postgres):
    psycopg = pytest.importorskip("psycopg")
    opened(postgres)
    reader = f"reader_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {reader} LOGIN")
        connection.execute(f"GRANT pg_read_all_data TO {reader}")
    url = postgres.replace("skser@", f"{reader}@")
    try:
        with pytest.raises(StudyError, match=r"storage .* cannot be .* \(permission denied"):
            opened(url)
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {reader}")
