"""The contract of a step type.

A step type is a class; its class attributes are its entry in the catalogue. An instance is one step of one workflow
version: its config is checked and its expressions are compiled once, in `prepare`, then it serves every item. So an
instance holds nothing about an item, and is used by many items at once.

| shape | method | run by |
|---|---|---|
| COMPUTES | `def run(self, ctx, input)` | inline |
| WAITS | `async def run(self, ctx, input)` | concurrently |
| SERVES_MANY | `async def run_many(self, calls)` | in micro-batches |
| HEAVY | `def run(self, ctx, input)` with `isolated = True` | in a child process with limits on time and memory |

The shape follows from which method a class defines. A step answers with its output (any JSON value), with `Output`
where there is more to say, or with `Skip`, `Retry` or `Fail`, returned or raised. It never sees storage: what it wants
stored beside its output it hands over as an effect, which is written in the transaction of its result.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from weft.domain.definition import RetryPolicy
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.domain.ids import UUID
from weft.domain.outside import HttpSender, Outside
from weft.domain.run import LogLevel
from weft.domain.usage import NO_USAGE, Usage
from weft.kit.cel import CelExpression, CelMapping
from weft.kit.json_schema import SchemaValidator
from weft.kit.liquid import LiquidTemplate


class StepCategory(StrEnum):
    """What a step type is for, to sort a catalogue by.

    INPUT: Where the data comes in: what an item begins with.
    AI: Asks a model.
    PROCESSING: Parses documents, reads values out of them, checks values or gives them another shape.
    CONDITION: Decides which of the following steps run.
    OUTPUT: Takes results out: into an entity, a database, a message, another service.
    """

    INPUT = "INPUT"
    AI = "AI"
    PROCESSING = "PROCESSING"
    CONDITION = "CONDITION"
    OUTPUT = "OUTPUT"


class Shape(StrEnum):
    """How the engine runs a step type.

    COMPUTES: In the worker itself, item after item.
    WAITS: For many items at once, since it mostly waits for others.
    SERVES_MANY: For several items in one call, gathered within a short moment.
    HEAVY: In a child process of its own, with limits on time and memory.
    """

    COMPUTES = "COMPUTES"
    WAITS = "WAITS"
    SERVES_MANY = "SERVES_MANY"
    HEAVY = "HEAVY"


@dataclass(frozen=True, slots=True)
class PublishEntity:
    """Effect: write these fields into the item's entity, raise its version, and mark it published where `publish`."""

    fields: Mapping[str, Any]
    publish: bool = True


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Effect: a message through an integration, as a delivery that is made exactly once and then sent until it arrives."""

    delivery_id: UUID
    """Derived from the idempotency key, so that a step that is repeated makes no second delivery."""
    integration: str
    """Its id or its name: looked up where the delivery is stored, since a step that computes asks nobody."""
    message: Mapping[str, Any]
    """In the shape of `weft.domain.delivery.Message`; storable as JSON."""


Effect = PublishEntity | SendMessage


class Output(NamedTuple):
    """A tuple, since there is one per item and step."""

    value: Any
    branches: tuple[str, ...] | None = None
    """For a condition: the branches that the item takes."""
    effects: tuple[Effect, ...] = ()
    usage: Usage = NO_USAGE
    """For an output from the cache: what it cost when it was computed, which nobody pays now."""
    from_cache: bool = False


class StepSignal(Exception):
    """What a step says instead of an output."""


class Skip(StepSignal):
    """The step does not apply to this item."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(StepSignal):
    """It failed this time and may work later. After the last attempt it counts as failed. `usage` was paid all the same."""

    def __init__(
        self,
        reason: str,
        *,
        code: str = "TEMPORARY_FAILURE",
        after: timedelta | None = None,
        usage: Usage = NO_USAGE,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.usage = usage
        self.after = after
        """At least this long from now; None leaves it to the back-off."""


class Fail(StepSignal):
    """It failed, and trying again will not help. `usage` was paid all the same."""

    def __init__(self, reason: str, *, code: str = "STEP_FAILED", details: Any = None, usage: Usage = NO_USAGE) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.usage = usage
        self.details = details


Outcome = Output | Skip | Retry | Fail


class StepContext(ABC):
    """What a step may know and use while it serves one item."""

    __slots__ = ()

    values: Mapping[str, Any]
    """The names in scope of expressions: input, entity, steps, params, run, item."""
    attempt: int
    """From 1."""

    @property
    @abstractmethod
    def idempotency_key(self) -> str:
        """The same for every attempt of this step for this item, whatever crashes in between: pass it on to receivers."""

    @property
    @abstractmethod
    def outside(self) -> Outside:
        """What the workspace has configured beyond Weft."""

    @property
    def http(self) -> HttpSender:
        return self.outside.http

    @abstractmethod
    def log(self, level: LogLevel, message: str, /, **fields: Any) -> None:
        """A line in the log of the run, with its item, step and time. It is stored whatever it holds: a message that is
        too long is cut, a field that is too long is left out by name in `leftOut`, and what is no JSON is shown as text. A hundred
        lines of an item are kept; how many more there were is told.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """One item's part of a micro-batch."""

    ctx: StepContext
    input: Any


class StepScope(ABC):
    """What is known when a step is prepared, and where its mistakes go.

    Every compiling method notes a problem under the path of the step's config and returns a compiled object anyway (one
    that is never run, since a definition with problems is never saved): all problems are found in one pass.
    """

    input_schema: JsonSchema | None
    """Of the step's input: the output of the steps before it, or the entity; None when not known."""
    entity_schema: JsonSchema | None

    @abstractmethod
    def expression(self, source: str, *path: str) -> CelExpression: ...

    @abstractmethod
    def mapping(self, sources: Mapping[str, str], *path: str) -> CelMapping: ...

    @abstractmethod
    def template(self, source: str, *path: str) -> LiquidTemplate: ...

    @abstractmethod
    def json_schema(self, schema: JsonSchema, *path: str) -> SchemaValidator: ...

    @abstractmethod
    def problem(self, code: ErrorCode, message: str, *path: str, hint: str | None = None) -> None: ...


ConfigT = TypeVar("ConfigT", bound=BaseModel)


class StepType(Generic[ConfigT]):
    kind: ClassVar[str]
    """Never changes: stored definitions refer to it."""
    title: ClassVar[str]
    description: ClassVar[str]
    category: ClassVar[StepCategory]
    version: ClassVar[int] = 1
    """Rises when the same config and input give another output: recorded results of older versions are not reused."""
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Other type names that are accepted, each with the config it stands for."""
    spellings: ClassVar[Mapping[str, str]] = {}
    """Other names that fields of the config are accepted under, beside snake_case: each with the name that is stored."""
    Config: ClassVar[type[BaseModel]]
    InputSchema: ClassVar[JsonSchema | None] = None
    """What every input must look like; None for any."""
    OutputSchema: ClassVar[JsonSchema | None] = None
    """What every output looks like, as far as it does not depend on the config."""
    isolated: ClassVar[bool] = False
    cacheable: ClassVar[bool] = True
    """Whether its output may be remembered: not where it counts what it does outside, or into the entity. While `cache` is on,
    `ctx.values` holds only what is part of the key: the input, what its expressions and texts read, and `reads`."""
    extracts: ClassVar[bool] = False
    """Whether each of its outputs is told of by an event, `extraction.completed`."""
    reads: ClassVar[frozenset[str]] = frozenset()
    """The names in scope that `run` takes from `ctx.values` by itself, beside `input`."""
    default_retry: ClassVar[RetryPolicy] = RetryPolicy(max_attempts=1)
    default_timeout: ClassVar[timedelta | None] = None

    def __init__(self, config: ConfigT, scope: StepScope) -> None:
        self.config = config
        self.prepare(scope)

    def prepare(self, scope: StepScope) -> None:
        """Compile what the config holds, and note what is wrong with it."""

    @property
    def branches(self) -> tuple[str, ...] | None:
        """The branches that other steps may depend on; None for a step that is no condition."""
        return None

    @property
    def input_schema(self) -> JsonSchema | None:
        """What this step needs its input to be, where the config decides."""
        return self.InputSchema

    @property
    def output_schema(self) -> JsonSchema | None:
        """What this step gives, where the config decides; None when not known."""
        return self.OutputSchema

    def run(self, ctx: StepContext, input: Any) -> Any | Awaitable[Any]:
        raise NotImplementedError

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        """One answer per call, in the same order."""
        raise NotImplementedError

    def supplied(self, ctx: StepContext, input: Any) -> AbstractAsyncContextManager[Any]:
        """For a heavy step: what its `run` gets in place of `input`. Entered by the worker, which can reach the outside, and
        left when the child process has answered. A file comes in this way, as a path.
        """
        del ctx
        return nullcontext(input)

    async def examine(self, outside: Outside) -> Sequence[Problem]:
        """What the outside has to say against this step when its definition is saved: a provider that is not configured, a
        column that does not exist. Paths are relative to the step's config. What cannot be reached now is a problem too.
        """
        del outside
        return ()

    @classmethod
    def of_schema(cls, name: str, schema: JsonSchema | None) -> Mapping[str, Any] | None:
        """The config that `schemaId: name` stands for, in a type whose config has a field `schema`. `schema` is that of the
        entity type of this id or name, None where there is none. None where it stands for nothing.
        """
        del name
        return None if schema is None else {"schema": schema}

    @classmethod
    def shape(cls) -> Shape:
        if cls.run_many is not StepType.run_many:
            return Shape.SERVES_MANY
        if inspect.iscoroutinefunction(cls.run):
            return Shape.WAITS
        return Shape.HEAVY if cls.isolated else Shape.COMPUTES


AnyStepType = type[StepType[Any]]
