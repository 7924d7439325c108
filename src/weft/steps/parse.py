"""The step that reads documents. What it does is in `kit/parsing`, and runs in a process of its own."""

import traceback
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import ConfigDict, Field, model_validator

from weft.domain.entity import JsonSchema
from weft.domain.step import Fail, StepCategory, StepContext, StepScope, StepType
from weft.kit.parsing.parsed import DocumentError, Limits, UnforeseenError, Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source
from weft.steps._config import Expression, StepConfig
from weft.steps._evaluation import evaluated
from weft.steps._parse_output import ANY_SCHEMA, OUTPUT_SCHEMA, TEXT_SCHEMA, as_json, only_text

PAGES = r"^[1-9][0-9]{0,6}(-([1-9][0-9]{0,6})?)?(, ?[1-9][0-9]{0,6}(-([1-9][0-9]{0,6})?)?){0,49}$"


class ParseConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{}, {"tables": True, "pages": "1-3"}, {"file": "input.document", "attachments": True}]
        }
    )

    file: Expression | None = Field(
        default=None,
        description="CEL expression of the document: an object with its `sha256`, as entities of documents are. "
        "Left out, it is the input.",
        examples=["input.document"],
    )
    output_format: Literal["JSON", "TEXT"] = Field(
        default="JSON",
        description="JSON: text, pages, tables, attachments and metadata. TEXT: only the text, with the name and format of the file.",
        examples=["TEXT"],
    )
    tables: bool = Field(
        default=False,
        description="Whether the tables of a PDF are looked for, which takes a hundred times as long as its text. "
        "Other formats say where their tables are: those are always given.",
        examples=[True],
    )
    attachments: bool = Field(
        default=False,
        description="Whether the files within a PDF or a mail are read as documents too. They are listed in any case.",
        examples=[True],
    )
    pages: Annotated[str, Field(pattern=PAGES)] | None = Field(
        default=None,
        description="The pages, slides or sheets to read, from 1. Left out, all of them.",
        examples=["1-3, 7, 10-"],
    )
    max_pages: int = Field(
        default=2_000, ge=1, le=10_000, description="How many pages are read at the most.", examples=[50]
    )
    max_characters: int = Field(
        default=1_000_000,
        ge=1_000,
        le=2_000_000,
        description="How long the text may become. What is beyond is left out, and `truncated` says so.",
        examples=[100_000],
    )
    password: Expression | None = Field(
        default=None,
        description="CEL expression of the password that opens an encrypted PDF.",
        examples=["params.password"],
    )

    @model_validator(mode="after")
    def _ranges_go_up(self) -> Self:
        for first, last in self.page_ranges:
            if last is not None and last < first:
                raise ValueError(f"The range of pages {first}-{last} goes backwards.")
        return self

    @property
    def page_ranges(self) -> tuple[tuple[int, int | None], ...]:
        ranges = (part.strip().partition("-") for part in self.pages.split(",")) if self.pages else ()
        return tuple((int(first), int(last) if last else None if dash else int(first)) for first, dash, last in ranges)


class Parse(StepType[ParseConfig]):
    kind = "parse"
    title = "Parse document"
    description = (
        "Reads a PDF, Word, PowerPoint, Excel, OpenDocument spreadsheet, HTML, e-mail, Markdown, text, CSV or JSON file: "
        "its text, pages, tables, attachments and metadata."
    )
    category = StepCategory.PROCESSING
    Config = ParseConfig
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {"document_parser": {}}
    OutputSchema = ANY_SCHEMA
    isolated = True
    default_timeout = timedelta(seconds=60)

    def prepare(self, scope: StepScope) -> None:
        sources = {"file": self.config.file, "password": self.config.password}
        self._expressions = scope.mapping({name: source for name, source in sources.items() if source is not None})
        config = self.config
        self._limits = Limits(pages=config.max_pages, characters=config.max_characters)

    @property
    def input_schema(self) -> JsonSchema | None:
        """A document, where the config does not say where it stands."""
        return {"type": "object", "required": ["sha256"]} if self.config.file is None else None

    @property
    def output_schema(self) -> JsonSchema | None:
        return TEXT_SCHEMA if self.config.output_format == "TEXT" else OUTPUT_SCHEMA

    def supplied(self, ctx: StepContext, input: Any) -> AbstractAsyncContextManager[Any]:
        return self._supplied(ctx, input)

    @asynccontextmanager
    async def _supplied(self, ctx: StepContext, input: Any) -> AsyncGenerator[dict[str, Any]]:
        """The path of the file, for the process that cannot ask for it."""
        given = evaluated(self._expressions, ctx)
        document = given.get("file", input)
        password = given.get("password")
        if password is not None and not isinstance(password, str):
            raise Fail("The password is not text.", code="PASSWORD_NOT_TEXT")
        sha256, name, mime_type = _described(document)
        async with ctx.outside.files.local(sha256) as path:
            yield {"path": str(path), "name": name, "mimeType": mime_type, "password": password}

    def run(self, ctx: StepContext, input: Any) -> Any:
        del ctx
        match input:
            case {"path": str(path), "name": str(name), "mimeType": str(mime_type), "password": password}:
                source = Source(Path(path), name, mime_type)
            case _:
                raise Fail("A document has to be supplied to this step as a file.", code="DOCUMENT_EXPECTED")
        config = self.config
        wanted = Wanted(config.tables, config.attachments, config.page_ranges, password, self._limits)
        try:
            document = as_json(read(source, wanted), name)
            return only_text(document) if config.output_format == "TEXT" else document
        except DocumentError as error:
            if isinstance(error, UnforeseenError):
                traceback.print_exception(error)  # to the worker's log
            raise Fail(str(error), code=error.code) from error


def _described(document: Any) -> tuple[str, str, str]:
    """The SHA-256, name and MIME type of a document, as its entity tells them."""
    if not isinstance(document, dict):
        raise Fail(
            "There is no document to read: the input has to be one, or `file` has to lead to one.",
            code="DOCUMENT_EXPECTED",
        )
    fields = cast("dict[str, Any]", document)
    sha256 = fields.get("sha256")
    if not isinstance(sha256, str):
        raise Fail("The document has no `sha256`, which names its file.", code="DOCUMENT_EXPECTED")
    name, mime_type = (fields.get(field) for field in ("name", "mimeType"))
    return sha256, name if isinstance(name, str) else "", mime_type if isinstance(mime_type, str) else ""
