"""The step that writes rows into a database elsewhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from weft.domain.definition import RetryPolicy
from weft.domain.entity import JsonSchema
from weft.domain.errors import Problem
from weft.domain.outside import Outside, TableRows
from weft.domain.step import Call, Fail, StepCategory, StepScope, StepSignal, StepType
from weft.kit.json_schema import declared_properties
from weft.kit.schema_shape import Schema
from weft.steps._config import Expression, FieldName, StepConfig
from weft.steps._evaluation import evaluated, mapped_schemas
from weft.steps._json import object_of
from weft.steps._store_checks import Writing, problems_of

_ColumnName = Annotated[str, Field(min_length=1, max_length=128)]


class StoreMode(StrEnum):
    INSERT = "INSERT"
    UPSERT = "UPSERT"


class StoreConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"datastore": "warehouse", "table": "movie"},
                {
                    "datastore": "warehouse",
                    "table": "sales.invoice",
                    "mapping": {"number": "input.invoice_number", "total": "input.total"},
                    "mode": "UPSERT",
                    "key": ["number"],
                },
            ]
        }
    )
    datastore: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="The name of a datastore of the workspace. Also accepted as `connection`.", examples=["warehouse"]
    )
    table: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="The table, where need be with its schema before a dot.", examples=["sales.invoice"]
    )
    mapping: Annotated[dict[_ColumnName, Expression], Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="CEL expressions by the names of the columns. Left out, the fields of the input by their names.",
        examples=[{"number": "input.invoice_number", "total": "input.total"}],
    )
    mode: StoreMode = Field(
        default=StoreMode.INSERT,
        description="INSERT adds a row for each item, once, whatever is repeated. UPSERT replaces the row with the same key.",
        examples=["UPSERT"],
    )
    key: Annotated[tuple[FieldName, ...], Field(max_length=16)] = Field(
        default=(), description="The columns that UPSERT goes by: those of a unique key.", examples=[["number"]]
    )

    @model_validator(mode="after")
    def _key_goes_with_upsert(self) -> Self:
        if self.mode is StoreMode.UPSERT and not self.key:
            raise ValueError("UPSERT needs a 'key': the columns of a unique key of the table.")
        if self.mode is StoreMode.INSERT and self.key:
            raise ValueError("A 'key' goes with the mode UPSERT.")
        if self.mapping is not None and (missing := [name for name in self.key if name not in self.mapping]):
            raise ValueError(f"The key column {missing[0]!r} is not in the mapping.")
        return self


class Store(StepType[StoreConfig]):
    kind = "store"
    title = "Store"
    description = "Writes a row for each item into a table of a database, inserted once or upserted by key."
    category = StepCategory.OUTPUT
    cacheable = False
    Config = StoreConfig
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {"database_connector": {}}
    spellings: ClassVar[Mapping[str, str]] = {"connection": "datastore"}
    default_retry = RetryPolicy(max_attempts=5, initial_delay=timedelta(milliseconds=500))

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._mapping = None if config.mapping is None else scope.mapping(config.mapping, "mapping")
        given = {} if scope.input_schema is None else declared_properties(scope.input_schema)
        self._types: Mapping[str, Schema] = given if self._mapping is None else mapped_schemas(self._mapping)

    @property
    def input_schema(self) -> JsonSchema | None:
        return {"type": "object", "required": list(self.config.key)} if self._mapping is None else None

    @property
    def output_schema(self) -> JsonSchema | None:
        texts = {"datastore": {"const": self.config.datastore}, "table": {"const": self.config.table}}
        key = {"key": {"type": "object"}} if self.config.key else {}
        properties = {"stored": {"const": True}, **texts, **key}
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

    async def examine(self, outside: Outside) -> Sequence[Problem]:
        config = self.config
        writing = Writing(config.datastore, config.table, config.key, self._types, mapped=self._mapping is not None)
        return await problems_of(writing, outside.datastores)

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        answers: list[Any] = [None] * len(calls)
        alike: defaultdict[tuple[str, ...], list[tuple[int, tuple[Any, ...]]]] = defaultdict(list)
        for number, call in enumerate(calls):
            try:
                row = self._row(call)
            except StepSignal as signal:
                answers[number] = signal
            else:
                alike[tuple(row)].append((number, tuple(row.values())))
        for columns, rows in alike.items():
            wanted = self._rows(columns, [row for _, row in rows], [calls[number] for number, _ in rows])
            came_to = await calls[0].ctx.outside.datastores.write(wanted)
            for (number, row), error in zip(rows, came_to, strict=True):
                answers[number] = self._output(columns, row) if error is None else error
        return answers

    def _row(self, call: Call) -> dict[str, Any]:
        row = object_of(call.input) if self._mapping is None else evaluated(self._mapping, call.ctx)
        for name in self.config.key:
            if row.get(name) is None:
                raise Fail(f"The key column {name!r} has no value.", code="KEY_MISSING")
        if not row:
            raise Fail("There is no field to store.", code="ROW_REFUSED")
        return row

    def _rows(self, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], calls: Sequence[Call]) -> TableRows:
        config = self.config
        once = config.mode is StoreMode.INSERT
        return TableRows(
            datastore=config.datastore,
            table=config.table,
            columns=columns,
            rows=rows,
            key=config.key,
            idempotency_keys=[call.ctx.idempotency_key for call in calls] if once else (),
        )

    def _output(self, columns: tuple[str, ...], row: Sequence[Any]) -> dict[str, Any]:
        config = self.config
        output: dict[str, Any] = {"stored": True, "datastore": config.datastore, "table": config.table}
        if config.key:
            output["key"] = {name: row[columns.index(name)] for name in config.key}
        return output
