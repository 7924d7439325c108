"""The invoices, in their order: uploads, a table to store them in, the workflow of a template, run, and what was read."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weft.cli.demonstration import pictures
from weft.cli.demonstration.client import Api, DemoError
from weft.cli.demonstration.display import Display
from weft.cli.demonstration.invoices import operations
from weft.cli.demonstration.invoices.paper import Paper, truths
from weft.cli.demonstration.runs import followed_run, show_failures, together

TEMPLATE = "Invoices into a database"
WORKFLOW = "Invoices of the demo"
DATASTORE, FILE, TABLE = "demo", "demo.db", "invoice"
COLUMNS = {
    "number": "TEXT",
    "issuer": "TEXT",
    "invoice_date": "DATE",
    "due_date": "DATE",
    "net": "NUMBER",
    "tax": "NUMBER",
    "total": "NUMBER",
    "currency": "TEXT",
    "status": "TEXT",
    "file": "TEXT",
}
APPROVAL_LIMIT = 20_000
UPLOADS_AT_ONCE = 6


@dataclass(frozen=True)
class InvoiceStory:
    api: Api
    display: Display
    papers: Sequence[Paper]

    async def tell(self) -> str:
        """The id of the finished run. Raises DemoError when it did not end as it should."""
        self.display.show(f"Invoices as files: {len(self.papers):,}\n")
        documents = await self._uploaded()
        await self._table()
        workflow_id = await self._workflow()
        run_id = await followed_run(self.api, self.display, workflow_id, {"ids": documents}, len(documents))
        await show_failures(self.api, self.display, run_id, "Why documents failed")
        await self._show_results(run_id)
        return run_id

    async def _uploaded(self) -> list[str]:
        """The ids of the documents, each content once."""
        turns, ids = asyncio.Semaphore(UPLOADS_AT_ONCE), list[str]()
        with self.display.following(pictures.upload_picture, pictures.upload_line) as show:

            async def upload(paper: Paper) -> None:
                async with turns:
                    ids.append(await self._document(paper))
                    show({"done": len(ids), "total": len(self.papers)})

            await together(*(upload(paper) for paper in self.papers))
        different = list(dict.fromkeys(ids))
        if len(different) < len(ids):
            self.display.show(f"        {len(ids) - len(different):,} of them had the same content as others")
        return different

    async def _document(self, paper: Paper) -> str:
        if not paper.content:
            raise DemoError(f"The file {paper.name} is empty: leave it out.")
        begun = await self.api.change(operations.CREATE_UPLOAD, name=paper.name, size=len(paper.content))
        await self.api.upload(begun["uploadUrl"], _as_one_piece(paper.content))
        made = await self.api.change(
            operations.CREATE_DOCUMENT, uploadId=begun["upload"]["id"], name=paper.name, oncePerContent=True
        )
        return made["document"]["id"]

    async def _table(self) -> None:
        """A file of SQLite with one table, each made where it is not there."""
        found = (await self.api.ask(operations.DATASTORES))["datastores"]["nodes"]
        known = next((one["id"] for one in found if one["name"] == DATASTORE), None)
        if known is None:
            address = {"sqlite": {"file": FILE}}
            made = await self.api.change(operations.CREATE_DATASTORE, name=DATASTORE, address=address)
            known = made["datastore"]["id"]
        if (await self.api.ask(operations.TABLE, id=known, name=TABLE))["datastoreContents"]["table"] is None:
            columns = [{"name": name, "kind": kind} for name, kind in COLUMNS.items()]
            await self.api.change(
                operations.CREATE_TABLE, datastoreId=known, name=TABLE, columns=columns, key=["number"]
            )

    async def _workflow(self) -> str:
        found = (await self.api.ask(operations.WORKFLOWS, name=WORKFLOW))["workflows"]["nodes"]
        known = next((one["id"] for one in found if one["name"] == WORKFLOW), None)
        if known is not None:
            return known
        templates = (await self.api.ask(operations.TEMPLATES))["templates"]["nodes"]
        template_id = next(one["id"] for one in templates if one["name"] == TEMPLATE)
        parameters = {"datastore": DATASTORE, "table": TABLE, "approvalLimit": APPROVAL_LIMIT}
        made = await self.api.change(
            operations.CREATE_FROM_TEMPLATE, templateId=template_id, name=WORKFLOW, parameters=parameters
        )
        return made["workflow"]["id"]

    async def _show_results(self, run_id: str) -> None:
        outputs = {name: output async for name, output in self._outputs(run_id)}
        read = {name: output["extract"]["values"] for name, output in outputs.items()}
        if known := truths(self.papers):
            self.display.show(pictures.heading("What was read, and what the invoices say"))
            self.display.show(pictures.comparison(compared(read, known)))
        statuses = Counter(output["judge"]["status"] for output in outputs.values())
        self.display.show(pictures.heading("Who has to look at them"))
        self.display.show(
            f"  {statuses['ACCEPTED']:,} nobody: complete, sure, and below {APPROVAL_LIMIT:,}\n"
            f"  {statuses['NEEDS_REVIEW']:,} a person"
        )
        self.display.show(pictures.heading(f"What is stored now, in the table {TABLE} of {FILE}"))
        self.display.show(pictures.results(_by_issuer(read.values())))

    async def _outputs(self, run_id: str) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        """Of each item that completed: the file's name, and the outputs of its steps."""
        after: str | None = None
        while True:
            items = (await self.api.ask(operations.READ, id=run_id, after=after))["run"]["items"]
            for item in items["nodes"]:
                if item["status"] == "COMPLETED":
                    yield item["entity"]["data"]["name"], {step["stepId"]: step["output"] for step in item["steps"]}
            if not items["pageInfo"]["hasNextPage"]:
                return
            after = items["pageInfo"]["endCursor"]


def compared(read: Mapping[str, Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """By field: how often it was read right, wrong, or not at all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, truth in known.items():
        values = read.get(name, {})
        for field, value in truth.items():
            given = values.get(field)
            counts[field]["missing" if given is None else "right" if given == value else "wrong"] += 1
    return counts


def _by_issuer(invoices: Any) -> dict[str, str]:
    sums: dict[tuple[str, str], list[float]] = defaultdict(list)
    for values in invoices:
        if "total" in values:
            sums[values.get("issuer", "not named"), values.get("currency", "")].append(values["total"])
    return {
        f"{sum(totals):,.2f} {currency}": f"{len(totals)} of {issuer}"
        for (issuer, currency), totals in sorted(sums.items())
    }


async def _as_one_piece(content: bytes) -> AsyncIterator[bytes]:
    yield content
