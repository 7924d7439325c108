"""What the text step does with a regular expression: replacing by groups."""

import re
from collections.abc import Callable
from typing import Any

from weft.kit.patterns import BadPatternError, compiled

__all__ = ["BadPatternError", "compiled", "replacement_of"]

_GROUP = re.compile(r"\\(?:(?P<number>[0-9])|g<(?P<name>\w+)>|(?P<backslash>\\))")


def replacement_of(pattern: Any, text: str) -> Callable[[Any], str]:
    r"""What a match is replaced with: `\\1` and `\\g<name>` stand for groups, `\\\\` for a backslash.

    Own, because the expansion of the library garbles text beyond ASCII.
    """
    parts: list[str | int] = []
    end = 0
    for match in _GROUP.finditer(text):
        parts.append(text[end : match.start()])
        parts.append("\\" if match["backslash"] else _group(pattern, match["number"], match["name"]))
        end = match.end()
    parts.append(text[end:])
    if not any(isinstance(part, int) for part in parts):
        literal = "".join(str(part) for part in parts)
        return lambda _match: literal
    return lambda match: "".join(part if isinstance(part, str) else (match.group(part) or "") for part in parts)


def _group(pattern: Any, number: str | None, name: str | None) -> int:
    group = int(number) if number is not None else pattern.groupindex.get(name)
    if group is None or group > pattern.groups:
        raise BadPatternError(
            f"The replacement refers to the group {number or name!r}, which the pattern does not have."
        )
    return int(group)
