"""What one call of the suite shares among its figures: the system, the sizes, and what was made on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.customers import STEPS
from benchmarks.data import Dataset, make_dataset
from benchmarks.runs import carried_out, warm_up
from benchmarks.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The numbers of the figures, as the table of the program names them."""

    rounds: int = 3
    entities: int = 100_000
    many: int = 1_000_000
    """Of a large run and of an import."""
    fails_every: int = 100
    """Of the entities of a large run, so that there are deep pages of failures to read."""
    waits: int = 2_000
    waits_at_once: int = 200
    calls: int = 1_000
    calls_at_once: int = 100
    samples: int = 200
    small_runs: int = 20
    pages: int = 200
    stored: int = 10_000
    hooks: int = 10_000
    hooks_per_second: float = 1_000.0
    events: int = 10_000
    triggers: int = 50
    kills: int = 5
    watchers: int = 1_000
    crowd: int = 5_000
    states_per_second: float = 10.0
    closed_seconds: float = 5.0
    live_seconds: float = 20.0
    pdf_pages: int = 20
    idle_seconds: float = 30.0
    settling_seconds: float = 5.0


QUICK = Sizes(
    rounds=1,
    entities=1_000,
    many=10_000,
    fails_every=20,
    waits=100,
    waits_at_once=50,
    calls=40,
    calls_at_once=20,
    samples=5,
    small_runs=1,
    pages=5,
    stored=500,
    hooks=200,
    hooks_per_second=200.0,
    events=400,
    triggers=6,
    kills=1,
    watchers=50,
    crowd=100,
    states_per_second=10.0,
    closed_seconds=0.5,
    live_seconds=1.5,
    pdf_pages=2,
    idle_seconds=0.5,
    settling_seconds=0.1,
)


@dataclass(slots=True)
class Bench:
    system: System
    sizes: Sizes
    _datasets: dict[str, Dataset] = field(default_factory=dict[str, Dataset])
    _run_of_many: str | None = None

    async def dataset(
        self, name: str, size: int, *, steps: Sequence[dict[str, Any]] = STEPS, failing_every: int = 0
    ) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = await make_dataset(self.system, name, size, steps=steps, failing_every=failing_every)
        return self._datasets[name]

    async def many(self) -> Dataset:
        """The million that large runs go over."""
        return await self.dataset("many", self.sizes.many, failing_every=self.sizes.fails_every)

    def keep_run_of_many(self, run: str) -> None:
        self._run_of_many = run

    async def run_of_many(self) -> str:
        """A finished run over `many`: the one that a figure before this one left, or a new one."""
        if self._run_of_many is None:
            many = await self.many()
            await self.system.use_workers(1)
            await warm_up(self.system.client, many)
            self._run_of_many = (await carried_out(self.system.client, many)).run
        return self._run_of_many
