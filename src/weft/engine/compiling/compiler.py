"""From a definition to a plan: everything that can be checked before a run is checked here, in one pass.

A definition is compiled when it is saved, to find what is wrong with it, and once per process that runs it. What is known of
the data flows through the steps as JSON Schemas: from the entity type, or the workflow's input schema, through the output
schema of every step into the names in scope of the next. Where nothing is known, nothing is refused.

The input of a step is decided by how many steps it depends on:

| dependencies | input |
|---|---|
| none | the entity's data, or the run's own input where there is no entity |
| one | its output |
| several | their outputs merged in the order of `dependsOn` where all that completed are objects, otherwise an object by step id |

The mapping `output` reads the same names as a step that depends on all leaves: its `input` is what the item's output would
be without it.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from weft.domain.catalogue import Catalogue
from weft.domain.definition import Definition, StepDefinition
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.outside import Outside
from weft.domain.spelling import Reading, read_definition
from weft.domain.spelling.configs import NO_SCHEMAS, in_own_words
from weft.domain.spelling.fields import suggestion
from weft.domain.step import AnyStepType, Fail, Retry, StepType
from weft.engine.compiling.assembly import Draft, assemble
from weft.engine.compiling.findings import Findings
from weft.engine.compiling.flow import joined, misfit
from weft.engine.compiling.preparation import prepared
from weft.engine.compiling.scope import DefinitionScope, KnownTypes, ScopeNames
from weft.engine.compiling.wiring import wire
from weft.engine.plan import Plan
from weft.kit.cel import CelExpression
from weft.kit.json_schema import SchemaValidator

LONGEST_EXAMINATION = timedelta(seconds=10)
"""Of one step: whoever saves a definition waits for the outside."""


@dataclass(frozen=True, slots=True)
class Examined:
    reading: Reading
    plan: Plan | None
    """None where there are problems."""
    problems: tuple[Problem, ...]
    prepared: tuple[tuple[tuple[str, ...], StepType[Any]], ...] = ()
    """Every step whose config is right, with the path of its config as it was written."""

    @property
    def definition(self) -> Definition:
        return self.reading.definition


async def examine_outside(examined: Examined, outside: Outside) -> tuple[Problem, ...]:
    """What the outside has to say against the steps: all are asked at once, none of them for longer than it may take."""

    async def asked(path: tuple[str, ...], step: StepType[Any]) -> list[Problem]:
        try:
            async with asyncio.timeout(LONGEST_EXAMINATION.total_seconds()):
                return [problem.under(*path) for problem in await step.examine(outside)]
        except TimeoutError:
            seconds = LONGEST_EXAMINATION.total_seconds()
            return [Problem(ErrorCode.UNREACHABLE, f"What this step needs did not answer within {seconds:g} s.", path)]
        except (Fail, Retry) as error:
            return [Problem(ErrorCode.UNREACHABLE, error.reason, path)]

    found = await asyncio.gather(*(asked(path, step) for path, step in examined.prepared))
    return tuple(problem for problems in found for problem in problems)


def compile_plan(definition: Any, catalogue: Catalogue, entity_schema: JsonSchema | None) -> Plan:
    """Raises Invalid with all problems."""
    examined = examine(definition, catalogue, entity_schema)
    if examined.plan is None:
        raise Invalid(problems=examined.problems)
    return examined.plan


def check(definition: Any, catalogue: Catalogue, entity_schema: JsonSchema | None) -> tuple[Problem, ...]:
    return examine(definition, catalogue, entity_schema).problems


def examine(
    definition: Any,
    catalogue: Catalogue,
    entity_schema: JsonSchema | None,
    *,
    max_steps: int | None = None,
    schemas: Mapping[str, JsonSchema] = NO_SCHEMAS,
) -> Examined:
    """`definition` is JSON in any spelling; `entity_schema` is None for a workflow without entities. `schemas`: what
    `schemaId` in the configs of its steps refers to.
    """
    reading = in_own_words(read_definition(definition, max_steps=max_steps), catalogue, schemas)
    findings = Findings(reading, list(reading.problems))
    compilation = _Compilation(reading.definition, catalogue, entity_schema, findings)
    plan = compilation.run()
    prepared = tuple((reading.locate(path), step) for path, step in compilation.prepared())
    return Examined(reading, None if findings.problems else plan, tuple(findings.problems), prepared)


class _Compilation:
    def __init__(
        self, definition: Definition, catalogue: Catalogue, entity_schema: JsonSchema | None, findings: Findings
    ) -> None:
        self._definition = definition
        self._catalogue = catalogue
        self._entity_schema = entity_schema
        self._findings = findings
        self._wiring = wire(definition, findings)
        self._ids = frozenset(step.id for step in definition.steps)
        self._drafts: dict[int, Draft] = {}
        self._ancestors: dict[int, frozenset[int]] = {}
        self._scopes: list[DefinitionScope] = []
        self._types = KnownTypes()
        self._run_input = entity_schema
        """What a step without dependencies is given."""
        self._parameters: JsonSchema | None = None

    def run(self) -> Plan | None:
        definition = self._definition
        outermost = self._scope((), None, frozenset())
        input_schema = self._compiled_schema(outermost, definition.input_schema, "inputSchema")
        parameters_schema = self._compiled_schema(outermost, definition.parameters_schema, "parametersSchema")
        self._parameters = None if parameters_schema is None else definition.parameters_schema
        if self._entity_schema is None and input_schema is not None:
            self._run_input = definition.input_schema
        for number in self._wiring.order:
            self._compile(number)
        output = None
        if definition.output is not None:
            leaves = self._wiring.leaves()
            scope = self._scope((), self._flow_of(leaves), frozenset(self._drafts))
            output = scope.mapping(definition.output, "output")
        if self._findings.problems:
            return None
        return assemble(
            definition,
            self._wiring,
            self._drafts,
            output=output,
            input_schema=input_schema,
            parameters_schema=parameters_schema,
            entity_schema=self._entity_schema,
            names_read=frozenset(path[0] for scope in self._scopes for path in scope.reads),
        )

    def prepared(self) -> Iterator[tuple[tuple[str, ...], StepType[Any]]]:
        """Each step that could be prepared, with the path of its config."""
        for _, draft in sorted(self._drafts.items()):
            if draft.made is not None:
                yield (*draft.step.path, "config"), draft.made.instance

    def _compiled_schema(self, scope: DefinitionScope, schema: JsonSchema | None, name: str) -> SchemaValidator | None:
        """None where there is none, or none that could be used."""
        before = len(self._findings.problems)
        compiled = None if schema is None else scope.json_schema(schema, name)
        return compiled if len(self._findings.problems) == before else None

    def _compile(self, number: int) -> None:
        step = self._definition.steps[number]
        sources = self._wiring.sources(number)
        # On a cycle a source may have no draft yet: nothing is known of it then.
        known = [source for source in sources if source in self._ancestors]
        self._ancestors[number] = frozenset(known).union(*(self._ancestors[source] for source in known))
        self._check_branches(number)
        given = self._flow_of(sources) if sources else self._run_input
        scope = self._scope(step.path, given, self._ancestors[number])
        when = None if step.when is None else self._condition(scope, step.when)
        config = self._config(step)
        of_config = scope.under("config")
        self._scopes.append(of_config)
        made = None if config is None else prepared(*config, of_config, self._findings)
        if made is not None and given is not None and made.wants is not None and (reason := misfit(given, made.wants)):
            message = f"What comes into this step does not fit: {reason}."
            hint = f"It comes from {self._names(sources)}."
            self._findings.add(ErrorCode.TYPE_MISMATCH, message, *step.path, hint=hint)
        if step.cache is not None and made is not None and not made.instance.cacheable:
            message = f"A step of the type {made.instance.kind!r} cannot be cached: what it does would be left out."
            self._findings.add(ErrorCode.INVALID, message, *step.path, "cache", hint="Leave cache out.")
        self._drafts[number] = Draft(step, made, when, frozenset(of_config.reads))

    def _config(self, step: StepDefinition) -> tuple[AnyStepType, dict[str, Any]] | None:
        """The type with the written config over that of the alias; None where there is no such type."""
        found = self._catalogue.find(step.type)
        if found is None:
            if step.type:
                message = f"There is no step type {step.type!r}."
                hint = suggestion(step.type, self._catalogue.names) or "stepTypes lists those there are."
                self._findings.add(ErrorCode.UNKNOWN_STEP_TYPE, message, *step.path, "type", hint=hint)
            return None
        step_type, defaults = found
        return step_type, {**defaults, **step.config}

    def _condition(self, scope: DefinitionScope, source: str) -> CelExpression:
        condition = scope.expression(source, "when")
        if condition.result_type.kind not in {"bool", "dyn"}:
            message = "`when` has to be true or false."
            scope.problem(
                ErrorCode.TYPE_MISMATCH, message, "when", hint="Write a comparison, such as `input.total > 0.0`."
            )
        return condition

    def _check_branches(self, number: int) -> None:
        step = self._definition.steps[number]
        for edge in self._wiring.wires[number]:
            draft = self._drafts.get(edge.source)
            if edge.branch is None or draft is None or draft.made is None:
                continue
            branches = draft.made.instance.branches
            if branches is not None and edge.branch in branches:
                continue
            place = (*step.path, "dependsOn", str(edge.place))
            if branches is None:
                message = f"The step {draft.step.id!r} is no condition, so it has no branch {edge.branch!r}."
                self._findings.add(
                    ErrorCode.UNKNOWN_BRANCH, message, *place, hint=f"Depend on {draft.step.id!r} alone."
                )
            else:
                message = f"The step {draft.step.id!r} has no branch {edge.branch!r}; it has: {', '.join(branches)}."
                self._findings.add(ErrorCode.UNKNOWN_BRANCH, message, *place, hint=suggestion(edge.branch, branches))

    def _flow_of(self, sources: tuple[int, ...]) -> JsonSchema | None:
        outputs = {
            self._definition.steps[source].id: draft.gives if (draft := self._drafts.get(source)) else None
            for source in sources
        }
        return joined(outputs) if len(outputs) > 1 else next(iter(outputs.values()), None)

    def _names(self, sources: tuple[int, ...]) -> str:
        if not sources:
            return "the entity" if self._entity_schema is not None else "the run's input"
        return ", ".join(repr(self._definition.steps[source].id) for source in sources)

    def _scope(self, path: tuple[str, ...], given: JsonSchema | None, ancestors: frozenset[int]) -> DefinitionScope:
        before = {self._drafts[number].step.id: self._drafts[number].gives for number in sorted(ancestors)}
        names = ScopeNames(
            types=self._types,
            input=given,
            entity=self._entity_schema,
            steps=before,
            other_steps=self._ids - before.keys(),
            parameters=self._parameters,
        )
        scope = DefinitionScope(names, self._findings, path)
        self._scopes.append(scope)
        return scope
