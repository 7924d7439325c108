"""What one step may refer to, and where the mistakes in its texts go."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.step import StepScope
from weft.engine.compiling.findings import Findings
from weft.engine.compiling.scope_problems import worded
from weft.engine.compiling.step_text import compile_text, unknown_variables
from weft.kit.cel import CelExpression, CelMapping, CelProblem, CelScope, CelSyntaxError, compile_cel, compile_mapping
from weft.kit.cel.references import Path
from weft.kit.cel.schema_types import DYN, CelType, type_of_schema
from weft.kit.json_schema import SchemaProblemError, SchemaValidator, compile_schema
from weft.kit.liquid import LiquidProblem, LiquidSyntaxProblemError, LiquidTemplate
from weft.kit.schema_limits import limits_of

RUN_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "workflowId": {"type": "string"},
        "createdAt": {"type": "string", "format": "date-time"},
    },
    "required": ["id", "workflowId", "createdAt"],
    "additionalProperties": False,
}
ITEM_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "ordinal": {"type": "integer"},
        "entityId": {"type": ["string", "null"]},
        "externalId": {"type": ["string", "null"]},
    },
    "required": ["id", "ordinal", "entityId", "externalId"],
    "additionalProperties": False,
}


class KnownTypes:
    """The types of schemas, each looked at once: most steps pass on what they were given, and every scope names them all."""

    def __init__(self) -> None:
        self._types: dict[int, tuple[JsonSchema, CelType]] = {}

    def of(self, schema: JsonSchema | None) -> CelType:
        if schema is None:
            return DYN
        known = self._types.get(id(schema))
        if known is None:
            # The schema is kept beside its type, so that its id stays its own.
            known = (schema, type_of_schema(schema if limits_of(schema).problem is None else None))
            self._types[id(schema)] = known
        return known[1]


@dataclass(frozen=True, slots=True)
class ScopeNames:
    """What is known of each name in scope."""

    types: KnownTypes
    input: JsonSchema | None
    entity: JsonSchema | None
    """None: the workflow has no entities, so there is no such name."""
    steps: Mapping[str, JsonSchema | None]
    """The outputs of the steps that have run by then."""
    other_steps: frozenset[str]
    """Those of the definition that have not, or not for certain."""
    parameters: JsonSchema | None

    def by_name(self) -> dict[str, CelType]:
        known = self.types.of
        entity = {} if self.entity is None else {"entity": known(self.entity)}
        return {
            "input": known(self.input),
            **entity,
            "steps": CelType("map", members={step_id: known(schema) for step_id, schema in self.steps.items()}),
            "params": known(self.parameters),
            "run": known(RUN_SCHEMA),
            "item": known(ITEM_SCHEMA),
        }


class _CelNames(CelScope):
    """Over types that are known already: a scope over schemas would look at each of them again for every step."""

    __slots__ = ()

    def __init__(self, types: dict[str, CelType]) -> None:
        self.strict = True
        self.types = types
        self.names = frozenset(types)
        self._key = (True, id(types).to_bytes(8))


class DefinitionScope(StepScope):
    """Everything that compiles notes its mistakes under `path`, and gives something in place of what is wrong."""

    def __init__(self, names: ScopeNames, findings: Findings, path: tuple[str, ...]) -> None:
        self.input_schema = names.input
        self.entity_schema = names.entity
        self._names = names
        self._findings = findings
        self._path = path
        self.reads: set[Path] = set()
        """What was compiled here reads, as paths from the names in scope."""
        self._cel: CelScope | None = None

    def under(self, *path: str) -> "DefinitionScope":
        """With reads of its own."""
        below = DefinitionScope(self._names, self._findings, (*self._path, *path))
        below._cel = self._cel
        return below

    def expression(self, source: str, *path: str) -> CelExpression:
        try:
            expression = compile_cel(source, self._scope())
        except CelSyntaxError as error:
            for problem in error.problems:
                self._report(problem, source, path, ErrorCode.INVALID_EXPRESSION)
            return _unknown_expression()
        self.reads.update(expression.reference_paths)
        return expression

    def mapping(self, sources: Mapping[str, str], *path: str) -> CelMapping:
        try:
            mapping = compile_mapping(sources, self._scope())
        except CelSyntaxError:
            # One by one: what is right stays known, so that one mistake is not reported again by all later steps.
            return CelMapping({name: self.expression(source, *path, name) for name, source in sources.items()}, None)
        for expression in mapping.expressions.values():
            self.reads.update(expression.reference_paths)
        return mapping

    def template(self, source: str, *path: str) -> LiquidTemplate:
        try:
            text = compile_text(source)
        except LiquidSyntaxProblemError as error:
            for problem in error.problems:
                self._report(problem, source, path, ErrorCode.INVALID_TEMPLATE)
            return compile_text("")
        for problem in unknown_variables(text, self._scope().types):
            self._report(problem, source, path, ErrorCode.INVALID_TEMPLATE)
        self.reads.update(text.paths_read)
        return text

    def json_schema(self, schema: JsonSchema, *path: str) -> SchemaValidator:
        try:
            return compile_schema(schema)
        except SchemaProblemError as error:
            for violation in error.problems:
                place = ".".join(violation.path) or "The schema"
                self.problem(ErrorCode.INVALID_SCHEMA, f"{place} {violation.message}.", *path, *violation.path)
            return compile_schema({})

    def problem(self, code: ErrorCode, message: str, *path: str, hint: str | None = None) -> None:
        self._findings.add(code, message, *self._path, *path, hint=hint)

    def _scope(self) -> CelScope:
        if self._cel is None:
            self._cel = _CelNames(self._names.by_name())
        return self._cel

    def _report(
        self, problem: CelProblem | LiquidProblem, source: str, path: tuple[str, ...], otherwise: ErrorCode
    ) -> None:
        words = worded(
            problem.message,
            source,
            otherwise,
            other_steps=self._names.other_steps,
            has_entity=self._names.entity is not None,
        )
        self._findings.add(
            words.code, words.message, *self._path, *path, hint=words.hint, line=problem.line, column=problem.column
        )


@cache
def _unknown_expression() -> CelExpression:
    """An expression of which nothing is known."""
    return compile_cel("input", CelScope({"input": None}))
