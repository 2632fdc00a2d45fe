"""What the documents say is so: links lead somewhere, commands exist, examples are accepted."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from covermaker.cli.main import COMMANDS, run

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_exist(page, capsys):
    for line in re.findall(
        r"^(?: {4}|\$ )covermaker ([^#\n]+)", page.read_text(encoding="utf-8"), re.MULTILINE
    ):
        words = line.split()
        if not words:
            continue  # the studio
        if words[0] not in COMMANDS:
            assert words[0] in {"--help", "--version"}, line
            continue
        group = [
            words[0],
            *(
                [words[1]]
                if words[0]
                in {"presets", "models", "voices", "effects", "cache", "rack", "plugins", "midi", "desk"}
                else []
            ),
        ]
        assert run([*group, "--help"]) == 0, line
        text = capsys.readouterr().out
        for option in re.findall(r"(--[a-z-]+)", line):
            assert option in text, line


def test_the_reference_pages_are_up_to_date():
    command = [sys.executable, str(ROOT / "scripts" / "make_reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_demo_project_and_the_presets_are_accepted():
    from covermaker.effects.presets import KINDS, list_presets
    from covermaker.project.load import load

    assert load(ROOT / "projects" / "demo").cover.title == "Blue Harbor"
    assert [entry.problem for kind in KINDS for entry in list_presets(kind) if entry.problem] == []


def test_every_package_that_is_asked_for_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=!~; \[]", line)[0].lower().replace("_", "-") for line in asked}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in pins if "==" in line}
    assert names <= pinned


def test_every_package_that_is_imported_is_asked_for():
    """Also those that another package would bring today."""
    found = set()
    for file in (ROOT / "covermaker").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    found -= {*sys.stdlib_module_names, "covermaker", "pydantic_core"}  # the last is a part of pydantic
    names = {
        "pyyaml": "yaml",
        "faiss-cpu": "faiss",
        "pyworld-prebuilt": "pyworld",
        "pillow": "PIL",
        "praat-parselmouth": "parselmouth",
        "c2pa-python": "c2pa",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(line for lines in extras for line in lines)]
    known = {re.split(r"[<>=!~; \[]", line)[0] for line in asked}
    assert found - {names.get(name, name.replace("-", "_")) for name in known} == set()


def test_cleaning_forgets_what_the_demo_left():
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nclean:")[2]
    trap = re.search(r"^trap '(.*)' EXIT$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    for place in ("projects/demo/out", "projects/demo/.covermaker"):
        assert place in recipe.split()
        assert place in trap[1].split()


def test_what_benchmarks_import_is_there():
    for script in sorted((ROOT / "benchmarks").glob("*.py")):
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith("covermaker"):
                continue
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                found = hasattr(module, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}")
                assert found, f"{script.name}: {node.module}.{alias.name}"
