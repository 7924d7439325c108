"""What is asked of a model library, and what it answers: plain values, so that nobody else has to import it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from weft.domain.entity import JsonSchema
from weft.domain.outside import HttpSender
from weft.domain.providers import ModelProvider
from weft.domain.step import Fail
from weft.domain.usage import Usage


class Way(StrEnum):
    """How a model is made to answer with JSON: the ways, from the strictest."""

    NATIVE = "NATIVE"
    """The provider holds the model to the schema."""
    TOOL = "TOOL"
    """The model calls a tool whose arguments are the JSON."""
    JSON_MODE = "JSON_MODE"
    """The provider holds the model to JSON, the schema stands in the instructions."""
    PROMPTED = "PROMPTED"
    """All stands in the instructions."""


@dataclass(frozen=True, slots=True)
class Question:
    model: str
    prompt: str
    instructions: str | None
    schema: JsonSchema | None
    way: Way | None
    """None for text."""
    max_output_tokens: int | None
    temperature: float | None
    timeout_seconds: float
    corrections: Sequence[tuple[str, str]] = ()
    """What the model answered so far, each with what was said to it then."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    model: str
    usage: Usage
    priced: bool
    cut_off: bool
    """It had written as much as it may."""
    refused: bool
    """The model or a filter of the provider would not answer."""
    waited_seconds: float = 0.0
    """For its turn, before it was asked."""


class SchemaRefused(Fail):
    """The provider does not take the schema in this way."""


class Library(Protocol):
    """One provider, as the libraries see it."""

    def ways(self, model: str) -> Sequence[Way]:
        """Those that may work, the best first."""
        ...

    async def ask(self, question: Question) -> Answer:
        """Raises `Retry` and `Fail`, among them `SchemaRefused`."""
        ...


class LibraryModule(Protocol):
    """What `library` offers."""

    def open_library(self, provider: ModelProvider, key: str | None, http: HttpSender) -> Library: ...
