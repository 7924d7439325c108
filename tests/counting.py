"""Counting statements: what a request costs must not grow with the rows it returns."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def counting(statements: list[str]) -> Generator[None]:
    """Notes the statements that the whole process sends meanwhile."""

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
