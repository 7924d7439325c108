"""Liquid texts of steps: the names in scope, and beside them the fields of the step's input.

`{{ total }}` is `{{ input.total }}` wherever `total` is none of the names in scope. Only fields that the text reads are
looked at, so a wide input costs nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from weft.kit.cel.references import Path
from weft.kit.cel.schema_types import SCALARS, CelType, member_of
from weft.kit.liquid import LiquidProblem, LiquidTemplate, LiquidVariable, compile_liquid
from weft.kit.suggest import hint_for

NAMES = frozenset({"input", "entity", "steps", "params", "run", "item"})


class StepText(LiquidTemplate):
    """Rendered with the names in scope of a step, as `StepContext.values` has them."""

    def __init__(self, template: LiquidTemplate) -> None:
        super().__init__(template.source, template._template, template.variables)  # noqa: SLF001 - it becomes this one
        read = {variable.path[0] for variable in self.variables}
        self._fields = tuple(read - NAMES)
        self._names = tuple(NAMES if self.roots is None else read & NAMES)

    @property
    def names_read(self) -> frozenset[str]:
        return frozenset(path[0] for path in self.paths_read)

    @property
    def paths_read(self) -> frozenset[Path]:
        """The paths from a name in scope that it reads; those names alone where only the rendering tells."""
        fields = {("input", *variable.path) for variable in self.variables if variable.path[0] in self._fields}
        if self.roots is None:
            return frozenset({(name,) for name in NAMES} | fields)
        return frozenset({variable.path for variable in self.variables if variable.path[0] in NAMES} | fields)

    def render(self, values: Mapping[str, Any]) -> str:
        given = {name: values[name] for name in self._names if name in values}
        source = values.get("input")
        if self._fields and isinstance(source, dict):
            fields = cast("dict[str, Any]", source)
            for name in self._fields:
                if name in fields:
                    given[name] = fields[name]
        return super().render(given)


def compile_text(source: str) -> StepText:
    """Raises LiquidSyntaxProblemError."""
    return StepText(compile_liquid(source))


def unknown_variables(text: StepText, types: Mapping[str, CelType]) -> Iterator[LiquidProblem]:
    """The variables that no item can have, by what is known of the names in scope."""
    for variable in text.variables:
        if (message := _unknown(variable, types)) is not None:
            yield LiquidProblem(message, variable.line, variable.column)


def _unknown(variable: LiquidVariable, types: Mapping[str, CelType]) -> str | None:
    first, *below = variable.path
    if first in types:
        return _unknown_below(types[first], below, ())
    if first in NAMES:
        return f'there is no name "{first}" here{hint_for(first, types)}'
    return _unknown_below(types["input"], [first, *below], tuple(types))


def _unknown_below(owner: CelType, names: list[str], others: Collection[str]) -> str | None:
    for name in names:
        if owner.kind in SCALARS:
            return f'there is no "{name}" here: a {owner.kind} has no fields'
        owner, found = member_of(owner, name)
        if not found.declared:
            return f'there is no "{name}" here{hint_for(name, (*found.candidates, *others))}'
        others = ()
    return None
