"""Write the exact versions of the light runtime: python deploy/lock.py

For each ``*.in`` in this folder, pip chooses versions without installing them, and ``*.txt`` gets
what the included lists do not have. Run it with the Python of the Dockerfile.
"""

import json
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_LISTS = ("serve", "serve-onnx", "serve-embeddings")  # each includes the one before
_PIP = (sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet")


def main() -> None:
    """Write all lists; a later one keeps the versions of an earlier one."""
    known: dict[str, str] = {}
    above: list[str] = []
    for name in _LISTS:
        wanted = [*_PIP, "--report", "-", "--only-binary", ":all:", "-r", f"{name}.in", *above]
        report = subprocess.run(wanted, cwd=_FOLDER, check=True, capture_output=True, text=True)
        items = (item["metadata"] for item in json.loads(report.stdout)["install"])
        versions = {item["name"].lower().replace("_", "-"): item["version"] for item in items}
        lines = [f"{key}=={versions[key]}" for key in sorted(versions.keys() - known.keys())]
        included = [f"-r {above[1]}"] if above else []
        header = f"# Made by deploy/lock.py from {name}.in."
        (_FOLDER / f"{name}.txt").write_text("\n".join([header, *included, *lines, ""]))
        known |= versions
        above = ["-c", f"{name}.txt"]


if __name__ == "__main__":
    main()
