"""A short torture: a handful of faults in eight seconds. `make torture` is the long one, with other seeds."""

from pathlib import Path

import pytest
from torture.faults import Scale
from torture.ordeal import Options, torture

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

SCALE = Scale(seconds=8, pause_seconds=0.9, lease_seconds=2, workers=2, apis=2)


async def test_a_short_torture_breaks_no_promise(tmp_path: Path) -> None:
    report = await torture(Options(seed=39, items=3_000, watchers=8, scale=SCALE), tmp_path, lambda _line: None)

    assert report.held, f"{report}\n\nThe logs are in {tmp_path / 'logs'}"
