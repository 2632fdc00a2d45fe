"""Every job that a command or a screen asks for is one that the child knows."""

import ast
from importlib import import_module
from pathlib import Path

import covermaker
from covermaker.jobs.child import CONVERSATIONS, JOBS


def asked_for():
    found = set()
    root = Path(covermaker.__file__).parent
    for file in (*root.glob("cli/*.py"), *root.glob("tui/**/*.py"), *root.glob("batch/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                values = {v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "job"}
                found |= {value.value for value in values if isinstance(value, ast.Constant)}
            elif (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "run_alone"
            ):
                assert isinstance(node.args[0], ast.Constant)
                found.add(node.args[0].value)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "submit"
            ):
                kind = node.args[0]  # of a screen's job; a pool is given a function
                found |= {kind.value} if isinstance(kind, ast.Constant) else set()
    return found


def test_the_child_knows_every_job():
    assert asked_for() == {*JOBS, *CONVERSATIONS}


def test_every_job_is_there():
    for place in (*JOBS.values(), *CONVERSATIONS.values()):
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(module), name))
