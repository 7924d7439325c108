"""The step types that a process knows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weft.domain.step import AnyStepType


class Catalogue:
    """The step types that are known, by kind and by alias."""

    def __init__(self, types: Sequence[AnyStepType]) -> None:
        self._by_kind = {step_type.kind: step_type for step_type in types}
        self._aliases = {
            alias: (step_type, defaults) for step_type in types for alias, defaults in step_type.aliases.items()
        }

    def __iter__(self) -> Iterator[AnyStepType]:
        return iter(sorted(self._by_kind.values(), key=lambda step_type: step_type.kind))

    def find(self, name: str) -> tuple[AnyStepType, Mapping[str, Any]] | None:
        """The step type that a definition means by `name`, and the config that name stands for."""
        if (step_type := self._by_kind.get(name)) is not None:
            return step_type, {}
        return self._aliases.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._by_kind, *self._aliases)
