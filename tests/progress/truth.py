"""A truth that a test may change without telling anybody."""

import asyncio
from collections.abc import Mapping

from weft.domain.ids import UUID
from weft.domain.progress import Progress


class Truth:
    """What Postgres says: the newest state of each run. A feed reads it as it would read the database."""

    def __init__(self) -> None:
        self.states: dict[UUID, Progress] = {}
        self.broken = False
        self.asked: list[set[UUID]] = []
        self._read = asyncio.Condition()

    def commit(self, *states: Progress) -> None:
        self.states.update({state.run_id: state for state in states})

    async def read_newer(self, known: Mapping[UUID, int]) -> Mapping[UUID, Progress | None]:
        self.asked.append(set(known))
        async with self._read:
            self._read.notify_all()
        if self.broken:
            raise OSError("the database is away")
        newest = {run_id: self.states.get(run_id) for run_id in known}
        return {id_: state for id_, state in newest.items() if state is None or state.revision > known[id_]}

    async def next_read(self) -> None:
        async with self._read:
            await self._read.wait()
