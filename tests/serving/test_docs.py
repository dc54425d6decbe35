"""The lines with curl in the user guide, against a server."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import in_thread, recording

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).parents[2] / "docs" / "user_guide" / "serving.rst"
LINES = re.findall(r"^ +\$ (curl .+)$", GUIDE.read_text(encoding="utf-8"), re.M)


@pytest.fixture(scope="module")
def folder(model_file, tmp_path_factory):
    """A folder with the files that the guide names, and the client of a server."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "my_recording.wav").write_bytes(recording(4))
    (folder / "other.flac").write_bytes(recording(format="FLAC"))
    shutil.copy(model_file, folder / "model.skser")
    with in_thread(folder / "model.skser", api_key="my-key") as client:
        yield folder, client


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", LINES)
def test_lines_with_curl_are_answered(line, folder):
    folder, client = folder
    address = str(client.base_url).rstrip("/")
    arguments = shlex.split(line.replace("http://127.0.0.1:8000", address))
    more = ["-sS", "-H", "X-API-Key: my-key", "-w", "\n%{http_code}"]
    done = subprocess.run(
        [*arguments, *more], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.endswith("\n200")


def test_the_guide_has_lines_with_curl():
    assert len(LINES) > 10


def test_the_guide_names_every_status_and_limit():
    text = GUIDE.read_text(encoding="utf-8")
    sources = Path(__file__).parents[2] / "skser" / "serving"
    statuses = set()
    for path in sources.glob("*.py"):
        statuses |= set(re.findall(r"Problem\(\s*(\d{3})", path.read_text(encoding="utf-8")))
    assert [status for status in sorted(statuses) if f"\n{status} " not in text] == []
