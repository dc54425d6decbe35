"""What setup.cfg, the documentation and the metadata of the project say of each other."""

import configparser
import csv
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import skser
from skser.datasets.auto import LOADERS

ROOT = Path(__file__).resolve().parents[1]
FOR_DEVELOPERS = {"test", "docs", "lint", "bench"}


def setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def requirements(text):
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [Requirement(line) for line in lines]


def extras():
    return {
        name: requirements(text) for name, text in setup_cfg()["options.extras_require"].items()
    }


def for_users():
    """The requirements of skser and of the extras that are not for its developers."""
    found = requirements(setup_cfg()["options"]["install_requires"])
    return found + [r for name in sorted(extras().keys() - FOR_DEVELOPERS) for r in extras()[name]]


def licences():
    with (ROOT / "docs" / "licences.csv").open(encoding="utf-8", newline="") as file:
        return {row["Package"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("requirement", for_users(), ids=str)
def test_requirements_have_one_lower_and_no_upper_bound(requirement):
    assert [s.operator for s in requirement.specifier] == [">="]


def test_oldest_versions_are_the_lower_bounds():
    text = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8")
    pins = {canonicalize_name(r.name): str(r.specifier) for r in requirements(text)}
    for requirement in for_users():
        bound = str(requirement.specifier).replace(">=", "==")
        assert pins[canonicalize_name(requirement.name)] == bound


def test_bounds_of_the_tests_are_those_of_the_extras():
    bounds = {r.name: r.specifier for r in for_users()}
    assert [
        str(r) for r in extras()["test"] if r.specifier != bounds.get(r.name, r.specifier)
    ] == []


def test_licences_of_all_direct_dependencies_are_listed():
    listed = licences()
    missing = {canonicalize_name(r.name) for r in for_users()} - listed.keys()
    assert not missing, "run docs/licences.py"
    assert [name for name, row in listed.items() if not row["Licence"]] == []


def test_extras_are_listed_with_their_sizes():
    text = (ROOT / "docs" / "install.rst").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^   \* - `(\w+)`\n(?:     .*\n)*?     - (\d[\d ]*)$", text, re.M))
    assert set(rows) == extras().keys()


def test_citation_has_the_version_and_the_licence():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", text, re.M) == [skser.__version__]
    assert re.findall(r"^license: (.+)$", text, re.M) == [setup_cfg()["metadata"]["license"]]


def test_python_versions_are_those_of_the_documentation():
    named = re.findall(r"Python :: (3\.\d+)", setup_cfg()["metadata"]["classifiers"])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {named[0]} to {named[-1]}" in readme
    assert setup_cfg()["options"]["python_requires"] == f">={named[0]}"


def test_licences_of_all_corpora_are_listed():
    text = (ROOT / "docs" / "responsible_use.rst").read_text(encoding="utf-8")
    listed = set(re.findall(r"^`(\w+)` ", text, re.M))
    assert listed == LOADERS.keys() - {"folder", "manifest", "several"}
