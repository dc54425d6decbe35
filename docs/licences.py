"""Write the licences of what skser depends on to docs/licences.csv.

Run as ``python docs/licences.py`` where skser is installed with its extras for users. Licences are
read from the metadata of the installed packages.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TABLE = Path(__file__).with_name("licences.csv")
FOR_DEVELOPERS = {"test", "docs", "lint", "bench"}
NAMES = {  # of classifiers and free text, as SPDX names them
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "new BSD": "BSD-3-Clause",
}

PHRASES = {"MIT License": "MIT", "Apache License, Version 2.0": "Apache-2.0"}  # in licence files


def licence_of(package: Distribution) -> str:
    """The licence in the metadata: an SPDX expression, a short text, classifiers, or the file."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = [
        text.rsplit(" :: ", 1)[1]
        for text in metadata.get_all("Classifier", ())
        if text.startswith("License :: ") and not text.endswith("OSI Approved")
    ]
    text = (metadata.get("License") or "").strip()
    is_name = bool(text) and len(text) < 40 and "\n" not in text
    found = [text] if is_name and (len(classifiers) != 1 or text != "BSD") else classifiers
    return ", ".join(NAMES.get(name, name) for name in found) or _name_in_file(package)


def _name_in_file(package: Distribution) -> str:
    """The licence that the licence file names, or "" without such a file."""
    for file in package.files or ():
        if "dist-info" in str(file) and file.name.upper().startswith("LICEN"):
            text = " ".join(file.read_text().split())
            return next((spdx for phrase, spdx in PHRASES.items() if phrase in text), "")
    return ""


def direct() -> dict[str, set[str]]:
    """The packages that setup.cfg names for users, and what each is for: "skser" or extras."""
    found = defaultdict(set)
    for text in distribution("skser").requires or ():
        requirement = Requirement(text)
        extras = set(re.findall(r"extra == ['\"](\w+)['\"]", str(requirement.marker or "")))
        if not extras or extras - FOR_DEVELOPERS:
            found[canonicalize_name(requirement.name)] |= (extras - FOR_DEVELOPERS) or {"skser"}
    return found


def indirect(packages: dict[str, set[str]]) -> dict[str, Distribution]:
    """The installed packages that those packages need, and in turn theirs."""
    found, waiting = {}, [Requirement(name) for name in packages]
    waiting += [Requirement("psycopg[binary]")]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found[name] = distribution(name)
        for text in found[name].requires or ():
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(needed)
    return {name: found[name] for name in found if name not in packages}


def rows() -> list[tuple[str, str, str]]:
    """Name, licence and need of each package: direct ones first, both by name."""
    packages = direct()
    table = []
    for name, needs in sorted(packages.items()):
        needed_by = "skser" if "skser" in needs else ", ".join(f"`{n}`" for n in sorted(needs))
        table.append((name, licence_of(distribution(name)), needed_by))
    table += [
        (name, licence_of(package), "other packages")
        for name, package in sorted(indirect(packages).items())
    ]
    if unknown := [name for name, licence, _ in table if not licence]:
        raise SystemExit(f"no licence in the metadata of {', '.join(unknown)}")
    return table


if __name__ == "__main__":
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Package", "Licence", "Needed by"])
        writer.writerows(rows())
