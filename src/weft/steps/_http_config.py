"""The config of the http step."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from weft.integrations.http import RESERVED_HEADERS
from weft.steps._config import Expression, FieldName, StepConfig, Template

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HeaderName = Annotated[str, Field(min_length=1, max_length=100)]
StatusSpec = Annotated[int, Field(ge=100, le=599)] | Annotated[str, Field(pattern=r"^[1-5]xx$")]
_Mapping = Annotated[dict[FieldName, Expression], Field(max_length=200)]


class HttpConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://api.example.com/rates"},
                {
                    "method": "POST",
                    "url": "https://api.example.com/items",
                    "headers": {"Authorization": "Bearer {{ params.token }}"},
                    "body": {"item": "input"},
                    "expectedStatuses": ["2xx", 409],
                },
            ]
        }
    )
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="GET", description="The HTTP method.", examples=["POST"]
    )
    url: Template = Field(
        min_length=1,
        description="Liquid text of the URL, http or https. Use the filter url_encode for values in it.",
        examples=["https://api.example.com/items/{{ id | url_encode }}"],
    )
    query: Annotated[dict[FieldName, Template], Field(max_length=100)] = Field(
        default_factory=dict[str, str],
        description="Liquid texts by the names of the query's parameters; they are encoded.",
        examples=[{"q": "{{ title }}"}],
    )
    headers: Annotated[dict[HeaderName, Template], Field(max_length=50)] = Field(
        default_factory=dict[str, str],
        description="Liquid texts by the names of the headers.",
        examples=[{"Authorization": "Bearer {{ params.token }}"}],
    )
    body: _Mapping | Template | None = Field(
        default=None,
        description="CEL expressions by the names of the fields of a JSON body, or the Liquid text of any other body.",
        examples=[{"title": "input.title"}, "{{ title }}"],
    )
    expected_statuses: tuple[StatusSpec, ...] = Field(
        default=("2xx",),
        min_length=1,
        max_length=50,
        description="The statuses that count as success, one by one or by class.",
        examples=[["2xx", 404]],
    )
    response_type: Literal["auto", "json", "text"] = Field(
        default="auto",
        description="How the body is read. auto: as JSON where the answer says so, else as text.",
        examples=["json"],
    )
    timeout: timedelta = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        le=timedelta(minutes=10),
        description="Of the whole exchange, redirects included.",
        examples=["PT10S"],
    )
    max_bytes: int = Field(
        default=1_048_576,
        ge=1,
        le=33_554_432,
        description="Of the answer's body, after decompression.",
        examples=[65_536],
    )
    follow_redirects: bool = Field(
        default=True, description="Whether redirects are followed, each behind the address guard.", examples=[False]
    )
    idempotency_header: HeaderName | None = Field(
        default="Idempotency-Key",
        description="The header in which POST, PUT, PATCH and DELETE send a key that stays the same over all attempts; "
        "null sends none.",
        examples=["X-Request-Id"],
    )

    @field_validator("headers", "idempotency_header")
    @classmethod
    def _header_names_are_free(cls, value: dict[str, str] | str | None) -> dict[str, str] | str | None:
        for name in (value,) if isinstance(value, str) else value or ():
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a header.")
            if name.lower() in RESERVED_HEADERS:
                raise ValueError(f"The header {name} is set by the client itself.")
        return value

    @model_validator(mode="after")
    def _body_goes_with_a_writing_method(self) -> Self:
        if self.body is not None and self.method not in WRITING:
            raise ValueError(f"A {self.method} request has no body.")
        return self
