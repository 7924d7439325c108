"""How step types are found, and what stops the start."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from steps.items import run

import weft.steps
from weft.domain.errors import StartupError
from weft.domain.step import Fail
from weft.engine.compiling.compiler import compile_plan
from weft.steps import discover

COMPLETE = """
from weft.domain.step import StepCategory, StepType
from weft.steps import StepConfig


class Added(StepType[StepConfig]):
    kind = "added_for_a_test"
    title = "Added"
    description = "Added for a test."
    category = StepCategory.PROCESSING
    Config = StepConfig

    def run(self, ctx, input):
        return input
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of the package of step types."""
    monkeypatch.setattr(weft.steps, "__path__", [*weft.steps.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    for name in ("added", "_shared"):
        if hasattr(weft.steps, name):
            delattr(weft.steps, name)


def test_a_file_in_the_folder_is_all_that_a_step_type_needs(folder: Path) -> None:
    (folder / "added.py").write_text(COMPLETE)
    (folder / "_shared.py").write_text("raise RuntimeError('not a step type file')")

    assert "added_for_a_test" in discover().names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import nothing_of_this_name", "cannot be loaded: ModuleNotFoundError"),
        ("1 +", "cannot be loaded: SyntaxError"),
        ("raise RuntimeError('half done')", "cannot be loaded: RuntimeError: half done"),
        ("VALUE = 1", "defines no step type"),
        (COMPLETE.replace("added_for_a_test", "Added Now"), "no valid kind: 'Added Now'"),
        (COMPLETE.replace('    kind = "added_for_a_test"\n', ""), "no valid kind: None"),
        (COMPLETE.replace('"Added for a test."', '" "'), "has no description"),
        (COMPLETE.replace("    category = StepCategory.PROCESSING\n", ""), "has no category"),
        (COMPLETE.replace("    Config = StepConfig\n", ""), "has no Config"),
        (COMPLETE.replace("def run(", "def go("), "defines neither run nor run_many"),
        (COMPLETE + "    async def run_many(self, calls):\n        return []\n", "defines both run and run_many"),
        (COMPLETE + "    version = 0\n", "versions begin at 1"),
        (COMPLETE + '    aliases = {"a b": {}}\n', "no name: 'a b'"),
        (COMPLETE + '    aliases = {"Added": "x"}\n', "without the config"),
        (COMPLETE + '    spellings = {"other": "gone"}\n', "spells the field 'gone'"),
        (COMPLETE.replace("added_for_a_test", "echo"), "'echo' is taken twice"),
        (COMPLETE + '    aliases = {"Echo": {}}\n', "'Echo' is taken twice"),
    ],
)
def test_a_broken_step_type_stops_the_start_with_one_sentence_that_names_the_file(
    folder: Path, text: str, words: str
) -> None:
    (folder / "added.py").write_text(text)

    with pytest.raises(StartupError) as error:
        discover()

    assert words in error.value.message
    assert str(folder / "added.py") in error.value.message


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that offers the step type `Added` of its module `others`."""
    metadata = tmp_path / "others-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[weft.steps]\nadded = others:Added\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "others.py"
    sys.modules.pop("others", None)


def test_a_step_type_of_another_package_is_found_by_its_entry_point(package: Path) -> None:
    package.write_text(COMPLETE)

    assert "added_for_a_test" in discover().names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be loaded: AttributeError"),
        ("Added = 5", "is no step type"),
        (COMPLETE.replace("added_for_a_test", "echo"), "'echo' is taken twice"),
    ],
)
def test_a_broken_step_type_of_another_package_stops_the_start_and_names_the_package(
    package: Path, text: str, words: str
) -> None:
    package.write_text(text)

    with pytest.raises(StartupError, match="others:Added") as error:
        discover()

    assert words in error.value.message
    assert "package others" in error.value.message


def test_the_example_on_the_design_page_is_a_step_type(folder: Path) -> None:
    page = weft.steps.__doc__ or ""
    example = page.partition("complete step type:\n")[2].partition("\nWhat holds")[0]
    text = "\n".join(line.removeprefix("    ") for line in example.splitlines())
    (folder / "added.py").write_text(text)

    catalogue = discover()
    definition = {"steps": [{"id": "short", "type": "initials", "config": {"name": "input.title"}}]}
    prepared = compile_plan(definition, catalogue, None).steps[0].type

    assert run(prepared, {"title": "Ada Lovelace"}) == {"initials": "AL"}
    with pytest.raises(Fail):
        run(prepared, {"title": 5})
