"""The demo, in its order: entity type, import, workflow, run, and what came of it."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from weft.cli.demonstration import documents, pictures
from weft.cli.demonstration.airports import Record, as_json_lines, repeated
from weft.cli.demonstration.client import Api, DemoError
from weft.cli.demonstration.display import Display
from weft.kit.json import loads

_KINDS = ("international", "municipal", "military", "field")
_CANCEL_SECONDS = 3.0


@dataclass(frozen=True)
class Story:
    api: Api
    display: Display
    airports: list[Record]
    scale: int

    async def tell(self) -> str:
        """The id of the finished run. Raises DemoError when it did not end as it should."""
        self.display.show(f"{self.scale:,} airports, as a register of the United States has them\n")
        type_id = await self._entity_type()
        await self._import(type_id)
        workflow_id = await self._workflow(type_id)
        run_id = await self._started(workflow_id)
        try:
            ended = await self._followed(run_id)
        except asyncio.CancelledError:
            await self._cancel(run_id)
            raise
        await self._show_results(run_id, type_id)
        self._check(ended)
        return run_id

    @cached_property
    def _suffix(self) -> str:
        """Each scale has its own entity type, so that "all entities" means just those."""
        return "" if self.scale == len(self.airports) else f" ({self.scale:,})"

    async def _entity_type(self) -> str:
        name, schema = f"Airport{self._suffix}", _read("entity_type.json")
        found = (await self.api.ask(documents.ENTITY_TYPES, name=name))["entityTypes"]["nodes"]
        known = next((one["id"] for one in found if one["name"] == name), None)
        if known is None:
            payload = await self.api.change(documents.CREATE_ENTITY_TYPE, name=name, schema=schema)
        else:
            payload = await self.api.change(documents.UPDATE_ENTITY_TYPE, id=known, schema=schema)
        return payload["entityType"]["id"]

    async def _import(self, type_id: str) -> None:
        begun = await self.api.change(
            documents.CREATE_IMPORT, entityTypeId=type_id, format="JSONL", externalIdField="id", onConflict="UPDATE"
        )
        lines = as_json_lines(repeated(self.airports, self.scale))
        await _together(self._watch_import(begun["import"]["id"]), self.api.upload(begun["uploadUrl"], lines))

    async def _watch_import(self, import_id: str) -> None:
        start, state = time.monotonic(), dict[str, Any]()
        with self.display.following(
            lambda state: pictures.import_picture(self.scale, time.monotonic() - start, state),
            lambda state: pictures.import_line(self.scale, time.monotonic() - start, state),
        ) as show:
            async for state in self.api.watch(documents.IMPORT_PROGRESS, id=import_id):
                show(state)
        if state.get("status") != "COMPLETED" or state["rowsRead"] != self.scale:
            reason = state.get("error") or f"{state.get('failed', 0):,} rows were refused"
            raise DemoError(f"The import is {state.get('status')}: {reason}.")

    async def _workflow(self, type_id: str) -> str:
        name, definition = f"Tidy airports{self._suffix}", _read("workflow.json")
        found = (await self.api.ask(documents.WORKFLOWS, type=type_id))["workflows"]["nodes"]
        known = next((one["id"] for one in found if one["name"] == name), None)
        wanted = {"name": name, "definition": definition, "status": "ACTIVE", "entityTypeId": type_id}
        if known is None:
            payload = await self.api.change(documents.CREATE_WORKFLOW, **wanted)
        else:
            payload = await self.api.change(documents.UPDATE_WORKFLOW, id=known, **wanted)
        return payload["workflow"]["id"]

    async def _started(self, workflow_id: str) -> str:
        payload = await self.api.change(documents.RUN_WORKFLOW, workflowId=workflow_id, entities={"all": True})
        return payload["run"]["id"]

    async def _followed(self, run_id: str) -> dict[str, Any]:
        state = dict[str, Any]()
        with self.display.following(pictures.run_picture, pictures.run_line) as show:
            async for state in self.api.watch(documents.RUN_PROGRESS, id=run_id):
                show(state)
        return state

    async def _cancel(self, run_id: str) -> None:
        # Best effort: a Weft that is going away itself has nothing left to cancel.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CANCEL_SECONDS):
                await self.api.change(documents.CANCEL_RUN, runId=run_id)

    async def _show_results(self, run_id: str, type_id: str) -> None:
        run = (await self.api.ask(documents.FAILURES, id=run_id))["run"]
        if run["failures"]:
            self.display.show(pictures.heading("Why records failed"), pictures.failures(run["failures"]))
        found = await self.api.ask(documents.RESULTS, type=type_id)
        firsts = {kind: next(iter(found[kind]["nodes"]), None) for kind in _KINDS}
        summaries = {kind: one["data"]["summary"] for kind, one in firsts.items() if one is not None}
        if summaries:
            self.display.show(pictures.heading("What was written back"), pictures.results(summaries))

    def _check(self, ended: dict[str, Any]) -> None:
        if ended.get("status") not in {"COMPLETED", "COMPLETED_WITH_FAILURES"}:
            raise DemoError(f"The run has not completed: it is {ended.get('status', 'unknown')}.")
        if not ended["completed"] or not ended["total"] == ended["finished"] == self.scale:
            raise DemoError(f"Of {self.scale:,} records the run has finished {ended['finished']:,}.")


def _read(name: str) -> Any:
    return loads(files("weft.cli.demonstration").joinpath(name).read_bytes())


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """All of them, or the first failure, with nothing left behind."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
