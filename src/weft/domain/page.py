"""A page of a list in keyset order: what it holds, and whether the list goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Direction(StrEnum):
    """Which end of a list comes first.

    ASC: The smallest, the oldest, A.
    DESC: The largest, the newest, Z.
    """

    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`first` rows behind the row with the key `after`, or from the start. The key is the sort key of a row as text."""

    first: int = 20
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    rows: tuple[T, ...]
    keys: tuple[str, ...]
    """The key of each row, for `PageRequest.after`."""
    has_next: bool
    total: int | None = None
    """Only where counting is cheap and true."""

    @classmethod
    def of(cls, fetched: list[T], first: int, key: Callable[[T], str], total: int | None = None) -> "Page[T]":
        """From up to `first + 1` fetched rows: the one too many only tells that the list goes on."""
        rows = tuple(fetched[:first])
        return cls(rows, tuple(key(row) for row in rows), len(fetched) > first, total)
