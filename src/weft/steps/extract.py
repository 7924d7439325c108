"""The step that reads values out of a document."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar, cast

from weft.domain.definition import RetryPolicy
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.domain.outside import ModelReply, ModelRequest, Outside
from weft.domain.run import LogLevel
from weft.domain.step import Fail, Output, StepCategory, StepContext, StepScope, StepType
from weft.domain.usage import NO_USAGE, Usage
from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document, NoDocumentError, read_document
from weft.kit.extraction.extracting import candidates_of, settled, together
from weft.kit.extraction.extraction import Extraction
from weft.kit.extraction.sets import built_in
from weft.kit.extraction.shaping import Shaper
from weft.kit.json_schema import SchemaProblemError
from weft.steps import _extract_model
from weft.steps._evaluation import rendered
from weft.steps._extract_config import ExtractConfig, Method, OnMissing
from weft.steps._extract_output import output_schema
from weft.steps._extract_rules import rule_set_of
from weft.steps._json import MOST_DETAILS, object_of
from weft.steps._providers import provider_problems

INCOMPLETE = "EXTRACTION_INCOMPLETE"
_P = ParamSpec("_P")
_T = TypeVar("_T")
_ANY_OBJECT: JsonSchema = {"type": "object"}

_aside = ThreadPoolExecutor(1, thread_name_prefix="extract")
"""Rules take 5 to 20 ms a page of a dense document, so they would hold up the loop of a worker: its heartbeats, its timers. In a thread
the loop has its turn every few milliseconds; one thread, since they compute and more of them would only wait for each other.
"""


class Extract(StepType[ExtractConfig]):
    kind = "extract"
    title = "Extract"
    description = "Reads values out of a document into a JSON Schema, by rules or by a model, each with its place and how sure it is."
    category = StepCategory.PROCESSING
    Config = ExtractConfig
    default_retry = RetryPolicy(max_attempts=3)

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        base = built_in(config.use) if config.use is not None else None
        schema = config.json_schema if config.json_schema is not None or base is None else base.schema
        if config.json_schema is not None:
            scope.json_schema(config.json_schema, "schema")
        try:
            self._shaper = Shaper(cast("JsonSchema", schema))
        except SchemaProblemError:  # noted by the scope
            self._shaper = Shaper(_ANY_OBJECT)
        else:
            if not self._shaper.leaves:
                message = "The schema names no value to look for: it has to be an object with properties."
                scope.problem(ErrorCode.INVALID_CONFIG, message, "schema")
        self._rules = rule_set_of(config, self._shaper, base, scope)
        self._required = config.required if config.required is not None else self._shaper.required
        self._instructions = (
            None if config.instructions is None else scope.template(config.instructions, "instructions")
        )

    @property
    def output_schema(self) -> JsonSchema | None:
        complete = self.config.on_missing is OnMissing.FAIL and self.config.required is None
        return output_schema(self._shaper, complete=complete)

    async def examine(self, outside: Outside) -> Sequence[Problem]:
        provider = self.config.provider
        return () if provider is None else await provider_problems(provider, outside)

    async def run(self, ctx: StepContext, input: Any) -> Output:
        document = self._document(input)
        usage = NO_USAGE
        candidates: dict[str, list[Candidate]] = {}
        if self.config.by is not Method.MODEL:
            candidates = await _apart(candidates_of, document, self._rules)
        extraction = await _apart(settled, document, candidates, self._rules, self._shaper, self.config.min_confidence)
        wanted = extraction.missing if self.config.by is Method.RULES_THEN_MODEL else tuple(self._shaper.leaves)
        if self.config.by is not Method.RULES and wanted:
            reply = await self._ask(ctx, document, wanted)
            usage = reply.usage
            leaves = {path: self._shaper.leaves[path] for path in wanted}
            read = await _apart(_extract_model.candidates, document, leaves, reply.value)
            candidates = together(candidates, read)
            extraction = await _apart(
                settled, document, candidates, self._rules, self._shaper, self.config.min_confidence
            )
        self._complete(extraction, usage)
        return Output(extraction.as_json(), usage=usage)

    def _document(self, input: Any) -> Document:
        name = self.config.field
        if name is not None:
            fields = object_of(input)
            if name not in fields:
                raise Fail(f"The input has no field {name!r}.", code="FIELD_MISSING")
            input = fields[name]
        try:
            return read_document(input)
        except NoDocumentError as error:
            raise Fail(f"{error} Put a step `parse` before this one.", code="NO_DOCUMENT") from error

    async def _ask(self, ctx: StepContext, document: Document, wanted: Sequence[str]) -> ModelReply:
        text, is_cut = _extract_model.prompt(document, self.config.max_characters)
        if is_cut:
            ctx.log(LogLevel.WARNING, f"The model was given the first {self.config.max_characters:,} characters only.")
        names = frozenset(path.partition(".")[0] for path in wanted)
        more = "" if self._instructions is None else f"\n\n{rendered(self._instructions, ctx)}"
        return await ctx.outside.models.generate(
            ModelRequest(
                provider=self.config.provider or "",
                model=self.config.model or "",
                prompt=text,
                instructions=_extract_model.TASK + more,
                schema=_extract_model.schema_of(self._shaper.open.schema, names),
                timeout=self.config.timeout,
            )
        )

    def _complete(self, extraction: Extraction, usage: Usage) -> None:
        """Raises `Fail` where a required value is missing and the item must not go on without it."""
        if self.config.on_missing is OnMissing.LEAVE:
            return
        lacking = [path for path in self._required if path in extraction.missing]
        details = [{"path": path.split("."), "message": "was not found surely enough"} for path in lacking]
        if self.config.required is None:
            known = {tuple(path.split(".")) for path in lacking}
            details += [
                {"path": violation.path, "message": violation.message}
                for violation in self._shaper.full.check(extraction.values)
                if tuple(violation.path) not in known
            ]
        if details:
            named = ", ".join(".".join(detail["path"]) for detail in details[:5])
            more = f" and {len(details) - 5} more" if len(details) > 5 else ""  # noqa: PLR2004 - what a sentence holds
            reason = f"Required values are missing or not sure enough: {named}{more}."
            raise Fail(reason, code=INCOMPLETE, details=details[:MOST_DETAILS], usage=usage)


async def _apart(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    return await asyncio.get_running_loop().run_in_executor(_aside, lambda: work(*args, **kwargs))
