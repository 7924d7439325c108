"""Limits around every filter of a Liquid environment.

The library limits the output of a template, but a filter is done before anything is written: three `replace` in a row turn 1,000 characters
into a billion, `times` on its own result makes numbers of millions of digits, and `date` hands any width to the C library. So what goes
into a filter and what comes out is measured, and the filters that multiply are refused before they run.
"""

import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from liquid import RenderContext
from liquid.exceptions import FilterError, LiquidError
from liquid.filter import with_context

LONGEST_TEXT = 500_000
MOST_ELEMENTS = 10_000
LARGEST_NUMBER = 10**30

_DATE_FORMAT = re.compile(r"[^%]|%[-_0^#]?[a-zA-Z%]")
LONGEST_DATE_FORMAT = 200


def limit_filters(filters: dict[str, Callable[..., Any]]) -> None:
    """Wraps every filter of the register in place."""
    for name, function in filters.items():
        filters[name] = _limited(name, function)


def _limited(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    foresee = _FORESEEN.get(name)
    takes_context = getattr(function, "with_context", False)

    @wraps(function)  # keeps the attribute by which the library passes the environment
    def limited(left: Any, *arguments: Any, context: RenderContext, **options: Any) -> Any:
        check_deadline(context)
        if takes_context:
            options["context"] = context
        for argument in arguments:
            _measure(name, argument)
        _measure(name, left)
        if foresee is not None:
            foresee(name, left, arguments)
        return _measure(name, function(left, *arguments, **options))

    return with_context(limited)


def check_deadline(context: Any) -> None:
    """Ends a rendering that takes too long; the context carries its `deadline`, and tells whether it is really `late`."""
    now = time.monotonic()
    if now > context.deadline and context.late(now):
        raise RenderingTimeError("the rendering takes too long", token=None)


class RenderingTimeError(LiquidError):
    """The template would take too much time."""


def _measure(name: str, value: Any) -> Any:
    kind = cast("type[Any]", type(value))
    if kind is str:
        if len(value) > LONGEST_TEXT:
            _refuse(name, f"a text of more than {LONGEST_TEXT} characters")
    elif kind is list or kind is tuple or kind is range:
        if len(value) > MOST_ELEMENTS:
            _refuse(name, f"a list of more than {MOST_ELEMENTS} elements")
    elif kind is int and not -LARGEST_NUMBER < value < LARGEST_NUMBER:
        _refuse(name, "a number of more than 30 digits")
    return value


def _refuse(name: str, what: str) -> None:
    raise FilterError(f'"{name}" refuses {what}', token=None)


def _replace(name: str, left: Any, arguments: tuple[Any, ...]) -> None:
    text, old, new = str(left), str(arguments[0]) if arguments else "", str(arguments[1]) if len(arguments) > 1 else ""
    times = text.count(old) if old else len(text) + 1
    if len(text) + times * len(new) > LONGEST_TEXT:
        _refuse(name, f"to make a text of more than {LONGEST_TEXT} characters")


def _join(name: str, left: Any, arguments: tuple[Any, ...]) -> None:
    elements = cast("list[Any]", left) if isinstance(left, list | tuple) else []
    separator = len(str(arguments[0])) if arguments else 1
    # Numbers and nested values are short here or are measured when they become text.
    length = sum(len(one) if isinstance(one, str) else 8 for one in elements) + separator * len(elements)
    if length > LONGEST_TEXT:
        _refuse(name, f"to make a text of more than {LONGEST_TEXT} characters")


def _split(name: str, left: Any, arguments: tuple[Any, ...]) -> None:
    text, separator = str(left), str(arguments[0]) if arguments else ""
    if (text.count(separator) if separator else len(text)) > MOST_ELEMENTS:
        _refuse(name, f"to make a list of more than {MOST_ELEMENTS} elements")


def _date(name: str, _left: Any, arguments: tuple[Any, ...]) -> None:
    # A width ("%999999999d") makes the C library pad to it.
    written = str(arguments[0]) if arguments else ""
    if len(written) > LONGEST_DATE_FORMAT or "".join(_DATE_FORMAT.findall(written)) != written:
        _refuse(name, f'the format "{written[:40]}": only %-letters without a width are allowed')


_FORESEEN: dict[str, Callable[[str, Any, tuple[Any, ...]], None]] = {
    "replace": _replace,
    "join": _join,
    "split": _split,
    "date": _date,
}
