"""The list of steps, as it is written: ids that were left out are made, and so are the edges."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from weft.domain.definition import Dependency, OnFailure, StepDefinition
from weft.domain.errors import ErrorCode
from weft.domain.spelling.fields import Fields, Notes, Path
from weft.domain.spelling.policies import read_cache, read_retry

STEP_FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": (),
    "type": (),
    "name": (),
    "config": (),
    "input": (),
    "dependsOn": (),
    "when": (),
    "retry": (),
    "timeout": (),
    "onFailure": (),
    "cache": (),
}

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_LONGEST_TIMEOUT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """A step as it stands in the definition. `edges` are given where the spelling keeps them apart from the steps."""

    fields: Fields
    path: Path
    edges: Sequence[tuple[Dependency, Path]] | None = None


def read_steps(written: Sequence[WrittenStep], notes: Notes) -> tuple[StepDefinition, ...]:
    ids = _ids(written, notes)
    steps: list[StepDefinition] = []
    for step, step_id in zip(written, ids, strict=True):
        edges = step.edges if step.edges is not None else _edges(step, steps, notes)
        steps.append(_step(step, step_id, _distinct(step, edges, notes), notes))
    return tuple(steps)


def parse_dependency(text: str) -> Dependency:
    """`check:large` is the branch `large` of the step `check`."""
    step_id, _, branch = text.partition(":")
    return Dependency(step_id.strip(), branch.strip() or None)


def _ids(written: Sequence[WrittenStep], notes: Notes) -> list[str]:
    given = [step.fields.text("id") for step in written]
    for position, (step, step_id) in enumerate(zip(written, given, strict=True)):
        if step_id is None:
            continue
        if _ID.fullmatch(step_id) is None:
            step.fields.wrong("id", "An id has 1 to 64 letters, digits, '_' or '-', and does not begin with '-'.")
        if step_id in given[:position]:
            message = f"Another step has the id {step_id!r} already."
            notes.add(ErrorCode.DUPLICATE_STEP, message, step.fields.path("id"), "Give every step an id of its own.")
    taken = {step_id for step_id in given if step_id is not None}
    for position, step_id in enumerate(given):
        if step_id is None:
            given[position] = _made_id(written[position].fields.raw("type"), position, taken)
    return [step_id or "" for step_id in given]


def _made_id(type_name: Any, position: int, taken: set[str]) -> str:
    """`TextOperation.Reverse` in second place: `text_operation_reverse_2`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", str(type_name or "step")).strip("_").lower()
    made = f"{words[:50] or 'step'}_{position + 1}"
    while made in taken:
        made += "_"
    taken.add(made)
    return made


def _edges(step: WrittenStep, before: Sequence[StepDefinition], notes: Notes) -> list[tuple[Dependency, Path]]:
    """What `dependsOn` says; left out, the step before."""
    path = step.fields.path("dependsOn")
    written = step.fields.raw("dependsOn")
    if written is None:
        return [(Dependency(before[-1].id), path)] if before else []
    values: list[Any] = [written] if isinstance(written, str) else step.fields.items("dependsOn") or []
    edges: list[tuple[Dependency, Path]] = []
    for index, value in enumerate(values):
        place = path if isinstance(written, str) else (*path, str(index))
        if isinstance(value, str) and value.strip():
            edges.append((parse_dependency(value), place))
        else:
            notes.add(ErrorCode.INVALID, "A dependency is the id of a step, or 'id:branch'.", place)
    return edges


def _distinct(step: WrittenStep, edges: Sequence[tuple[Dependency, Path]], notes: Notes) -> tuple[Dependency, ...]:
    kept: list[Dependency] = []
    for dependency, place in edges:
        if dependency in kept:
            notes.add(ErrorCode.INVALID, f"The dependency on {str(dependency)!r} is there twice.", place)
            continue
        notes.places[*step.path, "dependsOn", str(len(kept))] = place
        kept.append(dependency)
    return tuple(kept)


def _step(step: WrittenStep, step_id: str, depends_on: tuple[Dependency, ...], notes: Notes) -> StepDefinition:
    fields = step.fields
    type_name = fields.text("type")
    if "type" not in fields:
        fields.wrong("type", "A step needs a type.", "stepTypes lists those there are.")
    retry = fields.object("retry")
    return StepDefinition(
        id=step_id,
        type=type_name or "",
        depends_on=depends_on,
        config=_config(step, notes),
        name=fields.text("name"),
        when=fields.text("when"),
        retry=None if retry is None else read_retry(retry, fields.path("retry"), notes),
        timeout=fields.duration("timeout", _LONGEST_TIMEOUT),
        on_failure=fields.choice("onFailure", OnFailure),
        cache=read_cache(fields, notes),
        path=step.path,
    )


def _config(step: WrittenStep, notes: Notes) -> dict[str, Any]:
    """`input` beside `type` is short for `config: {"input": …}`."""
    config = dict(step.fields.object("config") or {})
    notes.places[*step.path, "config"] = step.fields.path("config")
    if "input" in step.fields:
        if "input" in config:
            step.fields.wrong("input", "input stands both here and in config: keep one of them.")
        config["input"] = step.fields.raw("input")
        notes.places[*step.path, "config", "input"] = step.fields.path("input")
    return config
