"""One JSON object of a definition, read field by field, with every mistake noted where it stands."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from weft.domain.errors import ErrorCode, Problem
from weft.kit.suggest import did_you_mean

Path = tuple[str, ...]
EnumT = TypeVar("EnumT", bound=StrEnum)

_DURATION = TypeAdapter(timedelta)
_YEARS_OR_MONTHS = re.compile(r"[^T]*[YM]")
"""They have no fixed length."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST_TEXT = 20_000


@dataclass(slots=True)
class Notes:
    """What was found while a definition was read."""

    problems: list[Problem] = field(default_factory=list[Problem])
    places: dict[Path, Path] = field(default_factory=dict[Path, Path])
    """Where something stands that was written under another name, by where the canonical spelling has it."""

    def add(self, code: ErrorCode, message: str, path: Path, hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, path, hint))


class Fields:
    """The fields of one object under their canonical names.

    `known` lists the names that are allowed, each with its synonyms; the snake_case form of a name is always one.
    A field that is null counts as left out. A reader returns None for what is absent or wrong; wrong is noted.
    """

    def __init__(self, raw: Mapping[str, Any], path: Path, notes: Notes, known: Mapping[str, tuple[str, ...]]) -> None:
        self._path = path
        self._notes = notes
        self._values: dict[str, Any] = {}
        self._keys: dict[str, str] = {}
        names = {spelling: name for name, synonyms in known.items() for spelling in (name, snake(name), *synonyms)}
        for key, value in raw.items():
            if (name := names.get(key)) is None:
                hint = suggestion(key, known) or f"The fields here are: {', '.join(known)}."
                notes.add(ErrorCode.UNKNOWN_FIELD, f"There is no field {key!r} here.", (*path, key), hint)
            elif name in self._keys:
                message = f"{key!r} and {self._keys[name]!r} mean the same field: keep one of them."
                notes.add(ErrorCode.INVALID, message, (*path, key))
            elif value is not None:
                self._values[name] = value
                self._keys[name] = key

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def path(self, name: str) -> Path:
        """Where the field stands, as it was written."""
        return (*self._path, self._keys.get(name, name))

    def wrong(self, name: str, message: str, hint: str | None = None) -> None:
        self._notes.add(ErrorCode.INVALID, message, self.path(name), hint)

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            return self.wrong(name, f"{name} must be a text that is not empty.")
        if len(value) > _LONGEST_TEXT:
            return self.wrong(name, f"{name} has {len(value):,} characters; {_LONGEST_TEXT:,} are allowed.")
        return value

    def integer(self, name: str, low: int, high: int) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            return self.wrong(name, f"{name} must be a whole number from {low} to {high}.")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not _is_number(value) or not low <= value <= high:
            return self.wrong(name, f"{name} must be a number from {low:g} to {high:g}.")
        return float(value)

    def duration(self, name: str, longest: timedelta) -> timedelta | None:
        value = self._values.get(name)
        if value is None:
            return None
        duration = parse_duration(value)
        if duration is None:
            return self.wrong(name, f"{name} must be a duration: ISO 8601 such as 'PT30S', or a number of seconds.")
        if not timedelta(0) < duration <= longest:
            return self.wrong(name, f"{name} must be longer than zero and at most {write_duration(longest)}.")
        return duration

    def choice(self, name: str, options: type[EnumT]) -> EnumT | None:
        """One of the enum's values, in upper or lower case."""
        value = self._values.get(name)
        if value is None:
            return None
        listed = [option.value for option in options]
        wanted = value.upper() if isinstance(value, str) else None
        if wanted not in listed:
            hint = suggestion(wanted, listed) if wanted else None
            return self.wrong(name, f"{name} must be one of {', '.join(listed)}.", hint)
        return options(wanted)

    def object(self, name: str) -> Mapping[str, Any] | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            return self.wrong(name, f"{name} must be an object.")
        return cast("Mapping[str, Any]", value)

    def items(self, name: str) -> list[Any] | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            return self.wrong(name, f"{name} must be a list.")
        return cast("list[Any]", value)

    def raw(self, name: str) -> Any:
        return self._values.get(name)


def objects(values: Iterable[Any], path: Path, what: str, notes: Notes) -> list[tuple[Mapping[str, Any], Path]]:
    """The objects of a list, each with its path; anything else in it is noted."""
    found: list[tuple[Mapping[str, Any], Path]] = []
    for index, value in enumerate(values):
        place = (*path, str(index))
        if isinstance(value, Mapping):
            found.append((cast("Mapping[str, Any]", value), place))
        else:
            notes.add(ErrorCode.INVALID, f"{what} must be an object.", place)
    return found


def suggestion(word: str, candidates: Iterable[str]) -> str | None:
    """The hint for an unknown name."""
    meant = did_you_mean(word, candidates)
    return None if meant is None else f"Did you mean {meant!r}?"


def snake(name: str) -> str:
    """`dependsOn` as `depends_on`."""
    return _HUMP.sub("_", name).lower()


def parse_duration(value: Any) -> timedelta | None:
    """From ISO 8601 text or a number of seconds; None when it is neither."""
    if isinstance(value, str) and (not value.startswith("P") or _YEARS_OR_MONTHS.match(value)):
        return None
    if not isinstance(value, str) and not _is_number(value):
        return None
    try:
        return _DURATION.validate_python(value)
    except ValidationError:
        return None


def write_duration(value: timedelta) -> str:
    return _DURATION.dump_python(value, mode="json")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
