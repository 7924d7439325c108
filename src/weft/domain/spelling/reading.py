"""How a definition is written as JSON, and how it is stored.

| written | canonical |
|---|---|
| `steps`, also `tasks` | `steps` |
| `nodes` with `connections` (also `edges`) | `steps` with `dependsOn` |
| a step without `id` | made from its type and position |
| a step without `dependsOn` | the step before it |
| `input` beside `type` | `config: {"input": …}` |
| `cache: true` | `cache: {"maxAge": …}` |
| `triggers`, also `trigger_type` with `trigger_config` | `triggers` (see `triggers`) |
| snake_case names, lower-case words, durations in seconds | camelCase, UPPER_CASE, ISO 8601 |

`read_definition` takes any of them and never stops at the first mistake; `write_definition` gives the canonical one,
which is what a version stores. Names that nobody knows are mistakes: a misspelt `dependsOn` must not silently mean "the
step before". Types, configs and the graph are not looked at here but in `weft.engine.compiling.compiler`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from weft.domain.definition import Definition, ErrorHandling, StepDefinition
from weft.domain.errors import ErrorCode, Problem
from weft.domain.spelling.fields import Fields, Notes, Path, objects, write_duration
from weft.domain.spelling.nodes import read_nodes
from weft.domain.spelling.policies import read_error_handling, write_cache, write_error_handling, write_retry
from weft.domain.spelling.steps import STEP_FIELDS, WrittenStep, read_steps
from weft.domain.spelling.triggers import TRIGGER_KEYS, read_triggers, write_trigger

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "steps": ("tasks",),
    "nodes": (),
    "connections": ("edges",),
    "inputSchema": (),
    "parametersSchema": (),
    "output": (),
    "errorHandling": (),
    **TRIGGER_KEYS,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, as far as it could be, and everything that is wrong with how it is written."""

    definition: Definition
    problems: tuple[Problem, ...]
    places: Mapping[Path, Path]

    def locate(self, path: Path) -> Path:
        """Where the caller wrote what stands at `path` in the canonical names."""
        for length in range(len(path), 0, -1):
            if (place := self.places.get(path[:length])) is not None:
                return (*place, *path[length:])
        return path


def read_definition(raw: Any, *, max_steps: int | None = None) -> Reading:
    notes = Notes()
    if not isinstance(raw, Mapping):
        notes.add(ErrorCode.INVALID, "A definition is an object with the field 'steps'.", ())
        return Reading(Definition(()), tuple(notes.problems), notes.places)
    fields = Fields(cast("Mapping[str, Any]", raw), (), notes, _FIELDS)
    written = _written_steps(fields, notes)
    if max_steps is not None and len(written) > max_steps:
        message = f"There are {len(written)} steps; {max_steps} are allowed."
        notes.add(ErrorCode.LIMIT_EXCEEDED, message, fields.path("nodes" if "nodes" in fields else "steps"))
        written = []
    handling = fields.object("errorHandling")
    for name in ("inputSchema", "parametersSchema", "output"):
        notes.places[name,] = fields.path(name)
    definition = Definition(
        steps=read_steps(written, notes),
        input_schema=fields.object("inputSchema"),
        parameters_schema=fields.object("parametersSchema"),
        output=_output(fields, notes),
        error_handling=ErrorHandling()
        if handling is None
        else read_error_handling(handling, fields.path("errorHandling"), notes),
        triggers=read_triggers(fields, notes),
    )
    return Reading(definition, tuple(notes.problems), notes.places)


def write_definition(definition: Definition) -> dict[str, Any]:
    written: dict[str, Any] = {"steps": [_write_step(step) for step in definition.steps]}
    if definition.input_schema is not None:
        written["inputSchema"] = dict(definition.input_schema)
    if definition.parameters_schema is not None:
        written["parametersSchema"] = dict(definition.parameters_schema)
    if definition.output is not None:
        written["output"] = dict(definition.output)
    if definition.error_handling != ErrorHandling():
        written["errorHandling"] = write_error_handling(definition.error_handling)
    if definition.triggers:
        written["triggers"] = [write_trigger(trigger) for trigger in definition.triggers]
    return written


def _written_steps(fields: Fields, notes: Notes) -> list[WrittenStep]:
    if "nodes" in fields or "connections" in fields:
        if "steps" in fields:
            fields.wrong("steps", "Give either steps, or nodes with connections, not both.")
        nodes, connections = fields.items("nodes") or [], fields.items("connections") or []
        written = read_nodes(nodes, fields.path("nodes"), connections, fields.path("connections"), notes)
    else:
        listed = objects(fields.items("steps") or [], fields.path("steps"), "A step", notes)
        written = [WrittenStep(Fields(raw, path, notes, STEP_FIELDS), path) for raw, path in listed]
    if not written and not notes.problems:
        fields.wrong("nodes" if "nodes" in fields else "steps", "A definition needs at least one step.")
    return written


def _output(fields: Fields, notes: Notes) -> dict[str, str] | None:
    raw = fields.object("output")
    if raw is None:
        return None
    for name, source in raw.items():
        if not isinstance(source, str):
            message = "Each entry of output is a CEL expression, written as a text."
            notes.add(ErrorCode.INVALID, message, (*fields.path("output"), name))
    return {name: source for name, source in raw.items() if isinstance(source, str)}


def _write_step(step: StepDefinition) -> dict[str, Any]:
    written: dict[str, Any] = {"id": step.id, "type": step.type}
    if step.name is not None:
        written["name"] = step.name
    written |= {"dependsOn": [str(dependency) for dependency in step.depends_on], "config": dict(step.config)}
    if step.when is not None:
        written["when"] = step.when
    if step.retry is not None:
        written["retry"] = write_retry(step.retry)
    if step.timeout is not None:
        written["timeout"] = write_duration(step.timeout)
    if step.on_failure is not None:
        written["onFailure"] = step.on_failure.value
    if step.cache is not None:
        written["cache"] = write_cache(step.cache)
    return written
