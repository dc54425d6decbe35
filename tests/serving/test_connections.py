import pytest

from skser.serving._connections import most_connections

resource = pytest.importorskip("resource")


@pytest.mark.parametrize(
    ("n_files", "most_files", "expected", "raised"),
    [
        (256, resource.RLIM_INFINITY, 1024, (1472, resource.RLIM_INFINITY)),
        (1024, 4096, 1024, (1472, 4096)),
        (1024, 1024, 665, None),
        (256, 1000, 646, (1000, 1000)),
        (64, 64, 16, None),
        (20_000, 20_000, 1024, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 1024, None),
    ],
)
def test_each_connection_can_be_a_file(n_files, most_files, expected, raised, monkeypatch):
    done = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (n_files, most_files))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: done.append(limits))
    assert most_connections() == expected
    assert done == ([raised] if raised else [])


def test_files_that_the_system_does_not_allow(monkeypatch):
    def refuse(_, limits):
        raise ValueError

    monkeypatch.setattr(resource, "getrlimit", lambda _: (512, 4096))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert most_connections() == 256
