"""The benchmarks, with numbers so small that they say nothing about speed: only that every figure is still measured."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECONDS = 280
"""On a machine that has nothing else to do it takes ten."""
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(SECONDS + 10)]

REPOSITORY = Path(__file__).parents[2]
BARS = {
    "Idle, API and worker": 2,
    "One item, median": 30,
    "One item, p99": 80,
    "Live, messages a second to the watchers of a run, of the floor": 0.9,
    "Live, many watchers of a run, p99": 150,
    "Live, many watchers of a run, memory of the API": 300,
    "Live, a run for each watcher, p99": 250,
    "Webhooks, calls a second, of those wanted": 0.98,
    "Webhooks, answer, p50": 4,
    "Webhooks, answer, p99": 50,
    "Events, matches without exactly one run": 0,
    "W2, of the ideal": 1.25,
    "AI, of the ideal": 1.25,
    "AI, calls of a cached run again": 0,
    "W1, one worker, of the floor": 0.5,
    "W1, two workers, of one": 1.3,
    "Growth, rate of a large run, of a small one": 0.9,
    "Growth, memory of the worker": 250,
    "Growth, memory of the API": 250,
    "Growth, mutation to first item": 3,
    "Fairness, slowest run of 10 beside a large one": 1,
    "Reading, first page, p50": 20,
    "Reading, deep pages, p50": 20,
    "Reading, failures, p50": 20,
    "Reading, deep failures, p50": 20,
    "Import, of COPY": 0.25,
    "Parse, prose, CPU, of pypdfium2": 1.3,
    "Parse, invoices, CPU, of pypdfium2": 1.3,
    "Parse, mix, CPU, of pypdfium2": 1.3,
    "Parse, mix, wall, of pypdfium2": 1.3,
    "Parse, whole step, CPU, of pypdfium2": 1.3,
    "Parse, whole step, wall, of pypdfium2": 1.3,
    "Parse, sandboxes that one worker keeps busy": 4,
    "Parse, every core, of as many times one": 0.8,
}
"""What the program asks for: a figure that is renamed, lost or made easier fails here."""


@pytest.fixture(scope="module")
def printed() -> str:
    """What a run of the whole suite prints."""
    done = _benchmarks("--quick")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def lines(printed: str) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return {line["figure"]: line for line in found}


def test_every_figure_of_the_program_is_measured_beside_its_bar(lines: dict[str, dict[str, Any]]) -> None:
    assert {name: lines[name]["bar"] for name in BARS} == BARS


def test_a_line_tells_the_value_and_whether_it_meets_the_bar(lines: dict[str, dict[str, Any]]) -> None:
    for line in lines.values():
        measured, floor = line["measured"], line["floor"]
        assert measured >= 0
        assert line["value"] == pytest.approx(measured / floor if floor else measured, rel=0.01)
        if line["bar"] is None:
            assert line["met"] == ""
        else:
            reached = line["value"] >= line["bar"] if line["better"] == "higher" else line["value"] <= line["bar"]
            assert (line["met"] != "NO") == reached


def test_the_table_has_a_row_for_every_line(printed: str, lines: dict[str, dict[str, Any]]) -> None:
    table = printed.partition("{")[0]
    heading, *_ = table.splitlines()
    assert re.split(r"\s{2,}", heading) == ["figure", "measured", "floor", "value", "bar", "aim", "met"]
    assert [name for name in lines if f"\n{name} " not in table] == []


def test_a_figure_that_does_not_exist_is_named() -> None:
    done = _benchmarks("w3")
    assert done.returncode == 2
    assert "'w3'" in done.stderr
    assert "one-item" in done.stderr


def _benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
