"""Templates that are nothing but text and variables, written without the library's rendering: a tenth of its time.

Only what is beyond doubt is written here: texts and numbers that are found in objects by their names. For anything else, a name that is
not given above all, the library renders, by its own rules and with its own messages.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.template import BoundTemplate

Part: TypeAlias = str | tuple[str, ...]
"""Text as it stands, or the names that lead to a value."""

LONGEST_TEXT = 100_000
"""Beyond it the library looks at the size of what it writes."""

_WRITTEN_AS_THEY_ARE = frozenset({int, float})


def plain_parts(template: BoundTemplate) -> tuple[Part, ...] | None:
    """None where there is more to the template: a tag, a filter, an index, or escaping."""
    if template.env.autoescape:
        return None
    parts: list[Part] = []
    for node in template.nodes:
        if isinstance(node, ContentNode):
            parts.append(node.text)
        elif isinstance(node, OutputNode) and (path := _names(node)):
            parts.append(path)
        else:
            return None
    return tuple(parts)


def _names(node: OutputNode) -> tuple[str, ...]:
    """Empty where it is not only names."""
    match node.expression:
        case FilteredExpression(left=Path(path=path), filters=filters) if not filters:
            names = tuple(segment for segment in path if isinstance(segment, str))
            return names if len(names) == len(path) else ()
        case _:
            return ()


def written(parts: tuple[Part, ...], values: Mapping[str, Any]) -> str | None:
    """None where the library has to say what becomes of a value."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        value: Any = values
        for name in part:
            if value.__class__ is not dict or name not in value:
                return None
            value = value[name]
        if value.__class__ is str:
            texts.append(value)
        elif value.__class__ in _WRITTEN_AS_THEY_ARE:
            texts.append(str(value))
        else:
            return None
    text = "".join(texts)
    return text if len(text) <= LONGEST_TEXT else None
