"""Asking models: for a provider, its key and a request, the reply that fits it."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from weft.domain.ids import UUID
from weft.domain.outside import HttpSender, ModelReply, ModelRequest
from weft.domain.providers import ModelProvider
from weft.domain.step import Fail, Retry
from weft.domain.usage import NO_USAGE, Usage
from weft.integrations.models.answers import Misfit, read_json
from weft.integrations.models.asking import Answer, Library, LibraryModule, Question, SchemaRefused, Way
from weft.integrations.models.gate import Gate
from weft.integrations.models.loading import load
from weft.integrations.models.shared import SharedRates
from weft.kit.json import dumps, loads
from weft.kit.json_schema import SchemaProblemError, SchemaValidator, compile_schema
from weft.kit.storable import storable

NO_WAIT_SECONDS = 1.0
"""In line, of which nobody wants to know."""
UNUSED_SECONDS = 600.0
"""After that a provider's clients are given up."""
SLOW_DOWN = timedelta(seconds=1)
"""The pause of all calls where a provider says that they are too many, and not how long to wait."""
USUAL_OUTPUT = 300
"""Tokens, until the first answers tell more."""
BYTES_PER_TOKEN = 4
READ_AT_ONCE = 64 * 1024
"""Characters of an answer that is read where it arrives; a longer one must not hold up the heartbeats."""
_EXCERPT = 500
_TOO_MANY = "HTTP_429"


@dataclass(slots=True)
class _Open:
    """One revision of one provider, as this process uses it."""

    revision: int
    library: Library
    gate: Gate
    used_at: float = 0.0
    usual_output: float = USUAL_OUTPUT
    """A running mean of the tokens that answers took."""
    ways_left: dict[str, list[Way]] = field(default_factory=dict[str, list[Way]])
    """By model: what the provider refused is not tried again."""


class ModelClients:
    """One per process, for all workspaces."""

    def __init__(self, http: HttpSender, redis_url: str) -> None:
        self._http = http
        self._shared = SharedRates.connect(redis_url)
        self._open: dict[UUID, _Open] = {}
        self._library: LibraryModule | None = None
        self._loading = asyncio.Lock()

    async def close(self) -> None:
        for opened in self._open.values():
            await opened.gate.close()
        self._open.clear()
        await self._shared.close()

    async def generate(self, provider: ModelProvider, key: str | None, request: ModelRequest) -> ModelReply:
        """Raises `Retry` and `Fail`, both with the usage that was paid."""
        opened = await self._opened(provider, key)
        validator = None if request.schema is None else _validator(request)
        usage, waited = NO_USAGE, 0.0
        corrections: list[tuple[str, str]] = []
        misfit: Misfit | None = None
        for _ in range(max(1, request.attempts)):
            try:
                answer = await self._ask(opened, request, corrections)
            except (Retry, Fail) as refusal:
                refusal.usage = usage + refusal.usage
                raise
            usage += answer.usage
            waited = max(waited, answer.waited_seconds)
            _check(answer, usage, text_wanted=validator is None)
            if validator is None:
                return _reply(storable(answer.text), answer, usage, waited)
            value, misfit = await _read(answer.text, validator)
            if misfit is None:
                return _reply(value, answer, usage, waited)
            corrections.append((answer.text, misfit.for_the_model))
        raise _unfit(request, misfit, corrections, usage)

    async def _ask(self, opened: _Open, request: ModelRequest, corrections: list[tuple[str, str]]) -> Answer:
        """Once, in the best way to JSON that the provider takes."""
        if request.schema is None:
            return await self._exchange(opened, request, None, corrections)
        while True:
            ways = opened.ways_left.setdefault(request.model, list(opened.library.ways(request.model)))
            way = ways[0] if _is_object(request) else Way.PROMPTED
            try:
                return await self._exchange(opened, request, way, corrections)
            except SchemaRefused:
                if way in ways:
                    ways.remove(way)

    async def _exchange(
        self, opened: _Open, request: ModelRequest, way: Way | None, corrections: list[tuple[str, str]]
    ) -> Answer:
        question = Question(
            request.model,
            request.prompt,
            request.instructions,
            request.schema,
            way,
            request.max_output_tokens,
            request.temperature,
            request.timeout.total_seconds(),
            tuple(corrections),
        )
        stood_in_line = time.monotonic()
        async with opened.gate.admitted(_estimate(opened, question)) as admission:
            waited = time.monotonic() - stood_in_line
            try:
                answer = await opened.library.ask(question)
            except Retry as refusal:
                if refusal.after is not None or refusal.code == _TOO_MANY:
                    opened.gate.pause(SLOW_DOWN if refusal.after is None else refusal.after)
                raise
            admission.used = answer.usage.input_tokens + answer.usage.output_tokens
            opened.usual_output += (answer.usage.output_tokens - opened.usual_output) / 20
            return answer if waited < NO_WAIT_SECONDS else replace(answer, waited_seconds=waited)

    async def _opened(self, provider: ModelProvider, key: str | None) -> _Open:
        library = await self._loaded()
        # From here on without an await: calls that come together share one line.
        now = time.monotonic()
        opened = self._open.get(provider.id)
        if opened is None or opened.revision != provider.revision:
            self._give_up_unused(now)
            gate = Gate(str(provider.id), provider.limits, self._shared)
            opened = _Open(provider.revision, library.open_library(provider, key, self._http), gate)
            self._open[provider.id] = opened
        opened.used_at = now
        return opened

    async def _loaded(self) -> LibraryModule:
        if self._library is None:
            async with self._loading:
                self._library = self._library or await load()
        return self._library

    def _give_up_unused(self, now: float) -> None:
        """They hold no connections of their own, so there is nothing to close."""
        for provider_id, opened in list(self._open.items()):
            if now - opened.used_at > UNUSED_SECONDS:
                del self._open[provider_id]


async def _read(text: str, validator: SchemaValidator) -> tuple[Any, Misfit | None]:
    if len(text) <= READ_AT_ONCE:
        return read_json(text, validator)
    return await asyncio.to_thread(read_json, text, validator)


def _reply(value: Any, answer: Answer, usage: Usage, waited_seconds: float) -> ModelReply:
    waited = timedelta(seconds=waited_seconds)
    # A text may be cut off; JSON that was would not have fitted.
    return ModelReply(value, answer.model, usage, not answer.cut_off, answer.priced, waited)


def _validator(request: ModelRequest) -> SchemaValidator:
    try:
        return _compiled(dumps(request.schema))
    except SchemaProblemError as error:
        raise Fail(f"The schema is not a JSON Schema: {error}", code="INVALID_SCHEMA") from error


@lru_cache(256)
def _compiled(schema: str) -> SchemaValidator:
    return compile_schema(loads(schema))


def _is_object(request: ModelRequest) -> bool:
    """Providers hold models to schemas of objects only."""
    return isinstance(request.schema, dict) and request.schema.get("type") == "object"


def _estimate(opened: _Open, question: Question) -> int:
    """The tokens that a call will take, roughly."""
    said = (
        len(question.prompt) + len(question.instructions or "") + sum(len(a) + len(b) for a, b in question.corrections)
    )
    output = min(opened.usual_output, question.max_output_tokens or opened.usual_output)
    return said // BYTES_PER_TOKEN + round(output)


def _check(answer: Answer, usage: Usage, *, text_wanted: bool) -> None:
    if answer.refused:
        raise Fail(f"{answer.model} refuses to answer.", code="ANSWER_REFUSED", usage=usage)
    if answer.cut_off and not text_wanted:
        reason = f"The answer of {answer.model} was cut off before its end: raise maxOutputTokens."
        raise Fail(reason, code="ANSWER_CUT_OFF", usage=usage)
    if not answer.text.strip():
        raise Retry(f"{answer.model} answered with nothing.", code="ANSWER_EMPTY", usage=usage)


def _unfit(request: ModelRequest, misfit: Misfit | None, corrections: list[tuple[str, str]], usage: Usage) -> Fail:
    violations = misfit.violations if misfit else ()
    return Fail(
        f"{request.model} gave no answer that fits the schema in {len(corrections)} tries: {misfit.reason if misfit else ''}",
        code="ANSWER_UNFIT",
        details={"violations": list(violations), "answer": storable(corrections[-1][0][:_EXCERPT])},
        usage=usage,
    )
