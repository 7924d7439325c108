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

The mapping `output` reads the outputs of all steps; its `input` is that of a step without dependencies.
"""

from dataclasses import dataclass
from typing import Any

from weft.domain.definition import Definition, StepDefinition
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.spelling import read_definition
from weft.domain.spelling_fields import suggestion
from weft.domain.step import Catalogue, StepType
from weft.engine.assembly import Draft, assemble
from weft.engine.configs import read_config
from weft.engine.findings import Findings
from weft.engine.flow import joined, misfit
from weft.engine.plan import Plan
from weft.engine.scope import DefinitionScope, ScopeNames
from weft.engine.wiring import wire
from weft.kit.cel import CelExpression


@dataclass(frozen=True, slots=True)
class Examined:
    definition: Definition
    plan: Plan | None
    """None where there are problems."""
    problems: tuple[Problem, ...]


def compile_plan(definition: Any, catalogue: Catalogue, entity_schema: JsonSchema | None) -> Plan:
    """Raises Invalid with all problems."""
    examined = examine(definition, catalogue, entity_schema)
    if examined.plan is None:
        raise Invalid(problems=examined.problems)
    return examined.plan


def check(definition: Any, catalogue: Catalogue, entity_schema: JsonSchema | None) -> tuple[Problem, ...]:
    return examine(definition, catalogue, entity_schema).problems


def examine(
    definition: Any, catalogue: Catalogue, entity_schema: JsonSchema | None, *, max_steps: int | None = None
) -> Examined:
    """`definition` is JSON in any spelling; `entity_schema` is None for a workflow without entities."""
    reading = read_definition(definition, max_steps=max_steps)
    findings = Findings(reading, list(reading.problems))
    plan = _Compilation(reading.definition, catalogue, entity_schema, findings).run()
    return Examined(reading.definition, None if findings.problems else plan, tuple(findings.problems))


class _Compilation:
    def __init__(
        self, definition: Definition, catalogue: Catalogue, entity_schema: JsonSchema | None, findings: Findings
    ) -> None:
        self._definition = definition
        self._catalogue = catalogue
        self._entity_schema = entity_schema
        self._findings = findings
        self._wiring = wire(definition, findings)
        self._drafts: dict[int, Draft] = {}
        self._ancestors: dict[int, frozenset[int]] = {}
        self._reads: set[str] = set()

    def run(self) -> Plan | None:
        definition = self._definition
        outermost = self._scope((), self._run_input(), frozenset())
        input_schema = parameters_schema = output = None
        if definition.input_schema is not None:
            input_schema = outermost.json_schema(definition.input_schema, "inputSchema")
        if definition.parameters_schema is not None:
            parameters_schema = outermost.json_schema(definition.parameters_schema, "parametersSchema")
        for number in self._wiring.order:
            self._compile(number)
        if definition.output is not None:
            everything = frozenset(self._drafts)
            output = self._scope((), self._run_input(), everything).mapping(definition.output, "output")
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
            names_read=frozenset(self._reads),
        )

    def _compile(self, number: int) -> None:
        step = self._definition.steps[number]
        sources = self._wiring.sources(number)
        # On a cycle a source may have no draft yet: nothing is known of it then.
        known = [source for source in sources if source in self._ancestors]
        self._ancestors[number] = frozenset(known).union(*(self._ancestors[source] for source in known))
        self._check_branches(number)
        given = self._flow_of(sources) if sources else self._run_input()
        scope = self._scope(step.path, given, self._ancestors[number])
        when = None if step.when is None else self._condition(scope, step.when)
        instance, config = self._instance(step, scope)
        if instance is None:
            self._drafts[number] = Draft(step, None, config, when, None)
            return
        wanted = instance.input_schema
        if given is not None and wanted is not None and (reason := misfit(given, wanted)):
            message = f"What comes into this step does not fit: {reason}."
            hint = f"It comes from {self._names(sources)}."
            self._findings.add(ErrorCode.TYPE_MISMATCH, message, *step.path, hint=hint)
        self._drafts[number] = Draft(step, instance, config, when, instance.output_schema)

    def _instance(self, step: StepDefinition, scope: DefinitionScope) -> tuple[StepType[Any] | None, dict[str, Any]]:
        """The prepared step with the config it was made from; None where there is none for it."""
        found = self._catalogue.find(step.type)
        if found is None:
            if step.type:
                message = f"There is no step type {step.type!r}."
                hint = suggestion(step.type, self._catalogue.names) or "stepTypes lists those there are."
                self._findings.add(ErrorCode.UNKNOWN_STEP_TYPE, message, *step.path, "type", hint=hint)
            return None, {}
        step_type, defaults = found
        written = {**defaults, **step.config}
        config = read_config(step_type, written, (*step.path, "config"), self._findings)
        return (None if config is None else step_type(config, scope.under("config"))), written

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
            if edge.branch is None or draft is None or draft.instance is None:
                continue
            branches = draft.instance.branches
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

    def _run_input(self) -> JsonSchema | None:
        return self._definition.input_schema if self._entity_schema is None else self._entity_schema

    def _flow_of(self, sources: tuple[int, ...]) -> JsonSchema | None:
        outputs = {
            self._definition.steps[source].id: draft.output_schema if (draft := self._drafts.get(source)) else None
            for source in sources
        }
        return joined(outputs) if len(outputs) > 1 else next(iter(outputs.values()), None)

    def _names(self, sources: tuple[int, ...]) -> str:
        if not sources:
            return "the entity" if self._entity_schema is not None else "the run's input"
        return ", ".join(repr(self._definition.steps[source].id) for source in sources)

    def _scope(self, path: tuple[str, ...], given: JsonSchema | None, ancestors: frozenset[int]) -> DefinitionScope:
        ids = {step.id: None for step in self._definition.steps}
        names = ScopeNames(
            input=given,
            entity=self._entity_schema,
            steps={self._drafts[number].step.id: self._drafts[number].output_schema for number in sorted(ancestors)},
            other_steps=tuple(ids.keys() - {self._drafts[number].step.id for number in ancestors}),
            parameters=self._definition.parameters_schema,
        )
        return DefinitionScope(names, self._findings, path, self._reads)
