"""The step types: what a step of a workflow can be. One file per type, found by discovery.

How to write one. This file, saved as `steps/initials.py`, is a complete step type:

    from typing import Any

    from pydantic import ConfigDict, Field

    from weft.domain.step import Fail, StepCategory, StepContext, StepScope, StepType
    from weft.steps import Expression, StepConfig, evaluated


    class InitialsConfig(StepConfig):
        model_config = ConfigDict(json_schema_extra={"examples": [{"name": "input.title"}]})

        name: Expression = Field(description="CEL expression of the name.", examples=["input.title"])


    class Initials(StepType[InitialsConfig]):
        kind = "initials"
        title = "Initials"
        description = "Shortens a name to its initials."
        category = StepCategory.PROCESSING
        Config = InitialsConfig
        OutputSchema = {"type": "object", "properties": {"initials": {"type": "string"}}, "required": ["initials"]}

        def prepare(self, scope: StepScope) -> None:
            self._name = scope.mapping({"name": self.config.name})

        def run(self, ctx: StepContext, input: Any) -> Any:
            name = evaluated(self._name, ctx)["name"]
            if not isinstance(name, str):
                raise Fail("The name is not text.", code="TEXT_EXPECTED")
            return {"initials": "".join(word[0] for word in name.split())}

What holds for every type, and is checked for each by `tests/steps/test_conformance.py`:

- **The class is the catalogue's entry**, the instance is one step of one workflow version. Everything that can be done
  once is done in `prepare`; `run` serves every item, many at once, and keeps nothing of them.
- **The input may be any JSON value.** What does not fit is a `Fail` with a readable reason and a code in UPPER_CASE, never
  a TypeError. The input and `ctx.values` belong to the engine: they are read, never changed.
- **Config is for people.** Fields are camelCase in JSON, each with a description and an example, unknown fields are refused.
- **Schemas are promises**: an output fits `output_schema`. Where the config decides, the instance derives it, so that a
  definition whose steps do not fit each other is found when it is saved.
- **The outside is reached through `ctx.outside`**: files, models, datastores and integrations of the workspace, never a client
  or a secret of its own. What the outside has to say against a config, `examine` asks when the definition is saved. A heavy
  step gets its file by `supplied`, since its process reaches nothing.
- **`cacheable = False`** for a type whose doing matters and not only its output.
- A step type imports `domain`, `kit` and `integrations`, and nothing of the engine.

Modules whose name begins with `_` are what several types share. Types of other packages come through the entry-point
group `weft.steps`, each entry naming one class. A mistake in any of them stops the process when it starts: a catalogue
with a hole in it would fail runs much later.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isclass
from types import ModuleType
from typing import TypeGuard

from weft.domain.catalogue import Catalogue
from weft.domain.errors import StartupError
from weft.domain.step import AnyStepType, StepType
from weft.steps._config import Expression, FieldName, StepConfig, Template
from weft.steps._entry import complaint
from weft.steps._evaluation import Conditions, conditions, evaluated, rendered

__all__ = [
    "Conditions", "Expression", "FieldName", "StepConfig", "Template",
    "conditions", "discover", "evaluated", "rendered",
]  # fmt: skip

ENTRY_POINTS = "weft.steps"


def discover() -> Catalogue:
    """Every step type of this package and of the entry points. Raises StartupError, naming the file, for the first mistake."""
    owners: dict[str, str] = {}
    types: list[AnyStepType] = []
    for source, step_type in (*_own(), *_of_others()):
        if (wrong := complaint(step_type)) is not None:
            raise StartupError(f"The step type {step_type.__name__} in {source} {wrong}.")
        for name in (step_type.kind, *step_type.aliases):
            if name in owners:
                raise StartupError(f"The step type name {name!r} is taken twice: in {owners[name]} and in {source}.")
            owners[name] = source
        types.append(step_type)
    return Catalogue(types)


def _own() -> Iterator[tuple[str, AnyStepType]]:
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        spec = found.module_finder.find_spec(found.name, None)
        source = (spec.origin if spec else None) or found.name
        try:
            module = import_module(found.name)
        except Exception as error:
            raise StartupError(f"The step type file {source} cannot be loaded: {_in_words(error)}.") from error
        step_types = _defined_in(module)
        if not step_types:
            raise StartupError(f"The step type file {source} defines no step type.")
        yield from ((source, step_type) for step_type in step_types)


def _of_others() -> Iterator[tuple[str, AnyStepType]]:
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        source = f"{entry.value} of the package {entry.dist.name if entry.dist else 'unknown'}"
        try:
            step_type: object = entry.load()
        except Exception as error:
            raise StartupError(f"The step type {source} cannot be loaded: {_in_words(error)}.") from error
        if not _is_step_type(step_type):
            raise StartupError(
                f"The entry point {source} is no step type: it has to name a class derived from StepType."
            )
        yield source, step_type


def _defined_in(module: ModuleType) -> list[AnyStepType]:
    """Only what the module itself defines: what it imports belongs to another file."""
    values: list[object] = list(vars(module).values())
    return [value for value in values if _is_step_type(value) and value.__module__ == module.__name__]


def _is_step_type(value: object) -> TypeGuard[AnyStepType]:
    return isclass(value) and issubclass(value, StepType)


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
