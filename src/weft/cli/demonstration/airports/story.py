"""The airports, in their order: entity type, import, workflow, run, and what came of it."""

import time
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from weft.cli.demonstration import operations, pictures
from weft.cli.demonstration.airports import operations as airport_operations
from weft.cli.demonstration.airports.records import Record, as_json_lines, repeated
from weft.cli.demonstration.client import Api, DemoError
from weft.cli.demonstration.display import Display
from weft.cli.demonstration.runs import followed_run, show_failures, together
from weft.kit.json import loads

_KINDS = ("international", "municipal", "military", "field")


@dataclass(frozen=True)
class AirportStory:
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
        run_id = await followed_run(self.api, self.display, workflow_id, {"all": True}, self.scale)
        await show_failures(self.api, self.display, run_id, "Why records failed")
        await self._show_results(type_id)
        return run_id

    @cached_property
    def _suffix(self) -> str:
        """Each scale has its own entity type, so that "all entities" means just those."""
        return "" if self.scale == len(self.airports) else f" ({self.scale:,})"

    async def _entity_type(self) -> str:
        name, schema = f"Airport{self._suffix}", _read("entity_type.json")
        found = (await self.api.ask(airport_operations.ENTITY_TYPES, name=name))["entityTypes"]["nodes"]
        known = next((one["id"] for one in found if one["name"] == name), None)
        if known is None:
            payload = await self.api.change(airport_operations.CREATE_ENTITY_TYPE, name=name, schema=schema)
        else:
            payload = await self.api.change(airport_operations.UPDATE_ENTITY_TYPE, id=known, schema=schema)
        return payload["entityType"]["id"]

    async def _import(self, type_id: str) -> None:
        begun = await self.api.change(
            airport_operations.CREATE_IMPORT,
            entityTypeId=type_id,
            format="JSONL",
            externalIdField="id",
            onConflict="UPDATE",
        )
        lines = as_json_lines(repeated(self.airports, self.scale))
        await together(self._watch_import(begun["import"]["id"]), self.api.upload(begun["uploadUrl"], lines))

    async def _watch_import(self, import_id: str) -> None:
        start, state = time.monotonic(), dict[str, Any]()
        with self.display.following(
            lambda state: pictures.import_picture(self.scale, time.monotonic() - start, state),
            lambda state: pictures.import_line(self.scale, time.monotonic() - start, state),
        ) as show:
            async for state in self.api.watch(airport_operations.IMPORT_PROGRESS, id=import_id):
                show(state)
        if state.get("status") != "COMPLETED" or state["rowsRead"] != self.scale:
            reason = state.get("error") or f"{state.get('failed', 0):,} rows were refused"
            raise DemoError(f"The import is {state.get('status')}: {reason}.")

    async def _workflow(self, type_id: str) -> str:
        name, definition = f"Tidy airports{self._suffix}", _read("workflow.json")
        found = (await self.api.ask(airport_operations.WORKFLOWS, type=type_id))["workflows"]["nodes"]
        known = next((one["id"] for one in found if one["name"] == name), None)
        wanted = {"name": name, "definition": definition, "status": "ACTIVE", "entityTypeId": type_id}
        if known is None:
            payload = await self.api.change(operations.CREATE_WORKFLOW, **wanted)
        else:
            payload = await self.api.change(airport_operations.UPDATE_WORKFLOW, id=known, **wanted)
        return payload["workflow"]["id"]

    async def _show_results(self, type_id: str) -> None:
        found = await self.api.ask(airport_operations.RESULTS, type=type_id)
        firsts = {kind: next(iter(found[kind]["nodes"]), None) for kind in _KINDS}
        summaries = {kind: one["data"]["summary"] for kind, one in firsts.items() if one is not None}
        if summaries:
            self.display.show(pictures.heading("What was written back"), pictures.results(summaries))


def _read(name: str) -> Any:
    return loads(files("weft.cli.demonstration.airports").joinpath(name).read_bytes())
