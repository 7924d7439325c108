"""A measured value beside what it should be."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


class Met(StrEnum):
    AIM = "aim"
    BAR = "bar"
    NO = "NO"
    UNASKED = ""
    """There is no bar: the figure is for information."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    name: str
    measured: float
    unit: str
    """Of `measured` and of `floor`."""
    better: Better
    floor: float | None = None
    bar: float | None = None
    aim: float | None = None
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def value(self) -> float:
        """What bar and aim speak of: the ratio to the floor, or, without a floor, what was measured."""
        return self.measured if self.floor is None else self.measured / self.floor

    @property
    def value_unit(self) -> str:
        return self.unit if self.floor is None else "x"

    @property
    def met(self) -> Met:
        if self.bar is None:
            return Met.UNASKED
        if not self._reaches(self.bar):
            return Met.NO
        return Met.AIM if self.aim is not None and self._reaches(self.aim) else Met.BAR

    def _reaches(self, wanted: float) -> bool:
        return self.value >= wanted if self.better is Better.HIGHER else self.value <= wanted

    def as_json(self) -> dict[str, Any]:
        return {
            "figure": self.name,
            "measured": round(self.measured, 4),
            "unit": self.unit,
            "floor": None if self.floor is None else round(self.floor, 4),
            "value": round(self.value, 4),
            "valueUnit": self.value_unit,
            "better": self.better,
            "bar": self.bar,
            "aim": self.aim,
            "met": self.met,
            "details": self.details,
        }
