"""The step `parse` as the engine runs it: supplied with a file, in a process of its own."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from steps.items import item, step

from weft.domain.definition import OnFailure, RetryPolicy
from weft.domain.outside import Outside
from weft.domain.step import Fail, Shape
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.isolation import Isolation


@dataclass(frozen=True)
class Folder:
    """Files of a workspace, each under its SHA-256."""

    path: Path

    @asynccontextmanager
    async def local(self, sha256: str) -> AsyncGenerator[Path]:
        if not (self.path / sha256).exists():
            raise Fail(f"There is no file {sha256}.", code="FILE_NOT_FOUND")
        yield self.path / sha256

    def keep(self, content: bytes, name: str = "") -> dict[str, Any]:
        """The file as the data of a document."""
        sha256 = hashlib.sha256(content).hexdigest()
        (self.path / sha256).write_bytes(content)
        return {"name": name, "mimeType": "application/octet-stream", "size": len(content), "sha256": sha256}


@dataclass(frozen=True)
class Parsing:
    isolation: Isolation
    folder: Folder

    async def __call__(
        self, content: bytes | dict[str, Any], name: str = "", *, seconds: float = 60.0, **config: Any
    ) -> dict[str, Any]:
        """The output for a document. Raises Fail."""
        document = self.folder.keep(content, name) if isinstance(content, bytes) else content
        prepared = step("parse", config)
        planned = PlannedStep(
            index=0,
            id="parse",
            kind="parse",
            type=prepared,
            shape=Shape.HEAVY,
            edges=(),
            when=None,
            retry=RetryPolicy(),
            timeout=timedelta(seconds=seconds),
            on_failure=OnFailure.FAIL_ITEM,
            fingerprint="parse",
        )
        ctx = item(document)
        none: Any = None
        ctx.world = Outside(http=none, files=self.folder, models=none, datastores=none, integrations=none)
        async with prepared.supplied(ctx, document) as supplied:
            return (await self.isolation.run(planned, ctx, supplied)).value

    async def failure(self, content: bytes | dict[str, Any], name: str = "", **given: Any) -> Fail:
        try:
            answer = await self(content, name, **given)
        except Fail as fail:
            return fail
        raise AssertionError(f"it was read: {answer!r:.200}")


@asynccontextmanager
async def parsing(folder: Path, *, processes: int | None = None) -> AsyncGenerator[Parsing]:
    isolation = Isolation("weft.steps:discover", processes=processes)
    try:
        yield Parsing(isolation, Folder(folder))
    finally:
        await isolation.close()
