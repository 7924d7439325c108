"""The duty that tells webhooks how their runs go on: it makes the messages, the sender sends them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.delivery import Delivery, DeliveryKind
from weft.domain.ids import UUID, new_id
from weft.domain.run import Item, Run
from weft.domain.run_webhook import RunNews
from weft.engine.deliveries.run_message import MOST_RESULT_BYTES, NO_RESULT, RunResult, payload_of, revision_of
from weft.engine.look_around import LookAround
from weft.engine.step_graph import StepGraph, StepGraphs, output_of
from weft.storage import run_results, run_webhooks, workflow_versions
from weft.storage.database import Database
from weft.storage.run_webhooks import DueNews, NewMessage

MOST_AT_ONCE = 50
"""Messages of one transaction: with results of the largest size some ten megabytes."""


@dataclass(slots=True)
class RunTeller:
    """One per worker; any number of them share the work."""

    database: Database
    wake_sender: Callable[[], None]
    _graphs: StepGraphs = field(default_factory=StepGraphs)
    _looking: LookAround = field(init=False)

    def __post_init__(self) -> None:
        self._looking = LookAround("run webhooks", self.run_once)

    def wake(self) -> None:
        self._looking.wake()

    def after(self, delivery: Delivery) -> None:
        """An attempt ended: where the message arrived, the next one of its run may follow."""
        if delivery.kind is DeliveryKind.RUN:
            self.wake()

    async def run(self) -> None:
        """Until `stop`."""
        await self._looking.run()

    def stop(self) -> None:
        self._looking.stop()

    async def run_once(self) -> int:
        """Make all messages that it is time for; how many it were."""
        made = 0
        while not self._looking.stopping:
            async with self.database.transaction() as connection:
                due = await run_webhooks.lock_due(connection, MOST_AT_ONCE)
                told = await self._tell(connection, due)
            made += told
            if told:
                self.wake_sender()
            if len(due) < MOST_AT_ONCE:
                break
        return made

    async def _tell(self, connection: AsyncConnection, due: Sequence[DueNews]) -> int:
        if not due:
            return 0
        over = [one.run for one in due if one.news is RunNews.ENDED and one.run.progress.total == 1]
        results = await self._results(connection, over)
        messages = [
            NewMessage(
                id=new_id(),
                due=one,
                revision=revision_of(one.run, one.news),
                payload=payload_of(one.run, one.news, results.get(one.run.id, NO_RESULT)),
            )
            for one in due
        ]
        return await run_webhooks.tell(connection, messages)

    async def _results(self, connection: AsyncConnection, over: Sequence[Run]) -> dict[UUID, RunResult]:
        """What came of these runs of one item, by run."""
        alike: dict[tuple[UUID, UUID], list[UUID]] = defaultdict(list)
        for run in over:
            alike[run.workspace_id, run.version_id].append(run.id)
        found: dict[UUID, RunResult] = {}
        for (workspace_id, version_id), run_ids in alike.items():
            graph = await self._graph(connection, workspace_id, version_id)
            if graph is None:
                continue
            # Where a mapping makes the output, it lies beside the steps, and may be small where they are large.
            steps = graph.leaf_ids() if graph.definition.output is None else []
            for run_id, only in (
                await run_results.of_only_items(connection, run_ids, steps, MOST_RESULT_BYTES)
            ).items():
                found[run_id] = _result(graph, only.item, too_large=only.too_large)
        return found

    async def _graph(self, connection: AsyncConnection, workspace_id: UUID, version_id: UUID) -> StepGraph | None:
        known = self._graphs.known([version_id])
        if version_id in known:
            return known[version_id]
        version = await workflow_versions.get(connection, workspace_id, version_id)
        return None if version is None else self._graphs.keep(version_id, version.definition)


def _result(graph: StepGraph, item: Item, *, too_large: bool) -> RunResult:
    return RunResult(None if too_large else output_of(graph, item), item.error, too_large)
