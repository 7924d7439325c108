"""Regular expressions from strangers: RE2, whose time grows with the text alone, never with the pattern's cleverness."""

from typing import Any, cast

import re2

MOST_MEMORY_BYTES = 1 << 20


class BadPatternError(ValueError):
    """Its text says what is wrong, for the person who wrote the pattern."""


def compiled(pattern: str, *, ignore_case: bool, max_memory_bytes: int = MOST_MEMORY_BYTES) -> Any:
    options = re2.Options()
    options.max_mem = max_memory_bytes
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return cast("Any", re2.compile(pattern, options))
    except (cast("type[Exception]", re2.error), UnicodeError) as error:
        text: Any = error.args[0] if error.args else error
        words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        raise BadPatternError(f"The pattern is not valid (RE2 syntax): {words}.") from error
