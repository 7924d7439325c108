"""The step that reads values out of a document."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, ParamSpec, TypeVar, cast

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
from weft.kit.extraction.sets import NAMES, built_in
from weft.kit.extraction.shaping import Shaper
from weft.kit.json_schema import SchemaProblemError
from weft.steps import _extract_model
from weft.steps._evaluation import rendered
from weft.steps._extract_config import ExtractConfig, Give, Method, OnMissing
from weft.steps._extract_names import AskedNames
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
    extracts = True
    Config = ExtractConfig
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {"entity_extraction": {"give": "VALUES"}}
    default_retry = RetryPolicy(max_attempts=3)

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        asked = self._asked = None if config.entities is None else AskedNames.of(config.entities, config.use)
        use = config.use if asked is None else asked.use
        base = built_in(use) if use is not None else None
        schema = config.json_schema if asked is None else asked.schema
        schema = base.schema if schema is None and base is not None else schema
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
        self._given = self._shaper if asked is None else Shaper(asked.given_schema)
        self._rules = rule_set_of(config if asked is None else asked.meant(config), self._shaper, base, scope)
        self._required = config.required if config.required is not None else self._given.required
        self._instructions = (
            None if config.instructions is None else scope.template(config.instructions, "instructions")
        )

    @property
    def output_schema(self) -> JsonSchema | None:
        complete = self.config.on_missing is OnMissing.FAIL and self.config.required is None
        whole = output_schema(self._given, complete=complete)
        return whole["properties"]["values"] if self.config.give is Give.VALUES else whole

    @classmethod
    def of_schema(cls, name: str, schema: JsonSchema | None) -> Mapping[str, Any] | None:
        """Who takes a schema from elsewhere expects what it describes, and nothing around it."""
        if schema is not None:
            return {"schema": schema, "give": Give.VALUES.value}
        return {"use": name, "give": Give.VALUES.value} if name in NAMES else None

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
        if self._asked is not None:
            extraction = self._asked.named(extraction)
        self._complete(extraction, usage)
        return Output(extraction.values if self.config.give is Give.VALUES else extraction.as_json(), usage=usage)

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
                for violation in self._given.full.check(extraction.values)
                if tuple(violation.path) not in known
            ]
        if details:
            named = ", ".join(".".join(detail["path"]) for detail in details[:5])
            more = f" and {len(details) - 5} more" if len(details) > 5 else ""  # noqa: PLR2004 - what a sentence holds
            reason = f"Required values are missing or not sure enough: {named}{more}."
            raise Fail(reason, code=INCOMPLETE, details=details[:MOST_DETAILS], usage=usage)


async def _apart(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    return await asyncio.get_running_loop().run_in_executor(_aside, lambda: work(*args, **kwargs))
