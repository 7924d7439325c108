"""What holds for every file: its size, where it imports, its docstring, and what it must not name."""

import ast
import re
import shutil
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from statistics import median

import pytest
from architecture.sources import ROOT, Module, modules, texts

LONGEST, LONG_ENOUGH = 400, 120

MACHINE = re.compile(r"/(?:home|Users)/\w+/|/(?:work|workspace|root)/\w")
REGISTRIES = re.compile(r"[p]ypi\.(?:org|io)|[p]ythonhosted|[n]pmjs|[j]sdelivr|[u]npkg\.")
"""The hosts that packages come from. The brackets keep this line from being found itself."""


def test_no_source_file_is_too_long() -> None:
    lengths = {module.place: module.text.count("\n") for module in modules()}
    assert {place: lines for place, lines in lengths.items() if lines > LONGEST} == {}
    assert median(lengths.values()) < LONG_ENOUGH


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{module.place}:{node.lineno}"
        for module in modules()
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    found = modules()
    names = {module.name for module in found}
    try:
        TopologicalSorter({module.name: set(_imports(module, names)) for module in found}).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def _imports(module: Module, names: set[str]) -> Iterator[str]:
    """The modules of Weft that a module names. A module in a package does not wait for the whole of its package."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names if alias.name in names)
            case ast.ImportFrom(module=str(source)) if source in names:
                for alias in node.names:
                    inner = f"{source}.{alias.name}"
                    yield inner if inner in names else source
            case _:
                pass


def test_every_package_has_a_docstring() -> None:
    packages = [module for module in modules() if module.path.name == "__init__.py"]
    assert [module.place for module in packages if not ast.get_docstring(module.tree)] == []


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="needs a git checkout")
@pytest.mark.parametrize("forbidden", [MACHINE, REGISTRIES], ids=["path of a machine", "host of a registry"])
def test_no_file_names_a(forbidden: re.Pattern[str]) -> None:
    named = [
        f"{place}:{number}: {found[0]}"
        for place, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := forbidden.search(line))
    ]
    assert named == []
