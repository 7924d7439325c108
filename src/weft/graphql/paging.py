"""Connections: pages of lists in keyset order. The same cost on the first page and on the ten thousandth."""

import base64
import binascii
from typing import Any, Generic, TypeVar

import strawberry

from weft.domain.errors import Invalid, LimitExceeded
from weft.domain.page import Page, PageRequest

T = TypeVar("T")

MAX_PAGE_SIZE = 100


def encode_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Invalid(
            "This is not a cursor of this list.",
            path=("after",),
            hint="Pass `endCursor` of the page before, unchanged.",
        ) from None


def read_page(first: int, after: str | None) -> PageRequest:
    """The page that the arguments of a connection ask for."""
    if first < 1:
        raise Invalid(f"`first` is {first}; it must be at least 1.", path=("first",))
    if first > MAX_PAGE_SIZE:
        raise LimitExceeded(
            f"`first` is {first}; a page has at most {MAX_PAGE_SIZE}.",
            path=("first",),
            hint="Ask for the next page with `after: pageInfo.endCursor`.",
        )
    return PageRequest(first, None if after is None else decode_cursor(after))


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether the list goes on behind this page.")
    has_previous_page: bool = strawberry.field(description="Always false: lists are read forwards.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row: `after` of the next page.")


@strawberry.type(description="A row and its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Its place in the list: as `after`, it gives the rows behind it.")
    node: T = strawberry.field(description="The row itself.")


@strawberry.type(description="A page of a list, and whether the list goes on.")
class Connection(Generic[T]):
    """A view over `domain.page.Page`."""

    @strawberry.field(description="The rows with their cursors.")
    @staticmethod
    def edges(parent: strawberry.Parent[Page[Any]]) -> list[Edge[T]]:
        return [Edge[T](cursor=encode_cursor(key), node=row) for key, row in zip(parent.keys, parent.rows, strict=True)]

    @strawberry.field(description="The rows alone, for whoever needs no cursors of each.")
    @staticmethod
    def nodes(parent: strawberry.Parent[Page[Any]]) -> list[T]:
        return list(parent.rows)

    @strawberry.field(description="Where the page stands in its list.")
    @staticmethod
    def page_info(parent: strawberry.Parent[Page[Any]]) -> PageInfo:
        return PageInfo(
            has_next_page=parent.has_next,
            has_previous_page=False,
            start_cursor=encode_cursor(parent.keys[0]) if parent.keys else None,
            end_cursor=encode_cursor(parent.keys[-1]) if parent.keys else None,
        )

    @strawberry.field(description="Rows in the whole list; null where counting is not cheap.")
    @staticmethod
    def total_count(parent: strawberry.Parent[Page[Any]]) -> int | None:
        return parent.total
