"""Mistakes in expressions and texts, from the words of the language to those of a definition."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from weft.domain.errors import ErrorCode

_HINT = re.compile(r' \((did you mean "[^"]*"\?)\)')
_UNKNOWN = re.compile(r'there is no (?:name )?"([^"]*)" here')
_CODES = (
    (re.compile(r'there is no function "'), None),
    (re.compile(r"there is no "), ErrorCode.UNKNOWN_REFERENCE),
    (
        re.compile(r".*(cannot be applied to|has no field|has no size|cannot be looped over|must be a)\b"),
        ErrorCode.TYPE_MISMATCH,
    ),
)


@dataclass(frozen=True, slots=True)
class Worded:
    code: ErrorCode
    message: str
    hint: str | None


def worded(
    message: str, source: str, otherwise: ErrorCode, *, other_steps: Collection[str], has_entity: bool
) -> Worded:
    """`otherwise` is the code of a mistake that is neither an unknown name nor a wrong type."""
    unknown = _UNKNOWN.match(message)
    if unknown is not None and unknown[1] in other_steps and _is_selected(unknown[1], source):
        return Worded(
            ErrorCode.UNKNOWN_REFERENCE,
            f"The step {unknown[1]!r} does not run before this one, so its output is not known here.",
            f"Add {unknown[1]!r} to dependsOn, unless it comes after this step.",
        )
    if unknown is not None and unknown[1] == "entity" and not has_entity:
        return Worded(
            ErrorCode.UNKNOWN_REFERENCE,
            "This workflow has no entity type, so there is no entity.",
            "Give the workflow an entityTypeId, or read `input`.",
        )
    code = next((code for pattern, code in _CODES if pattern.match(message)), None) or otherwise
    found = _HINT.search(message)
    plain = _HINT.sub("", message).rstrip(".")
    return Worded(code, f"{plain[:1].upper()}{plain[1:]}.", f"{found[1][:1].upper()}{found[1][1:]}" if found else None)


def _is_selected(step_id: str, source: str) -> bool:
    """Whether the text reads `steps.<id>` or `steps["<id>"]`."""
    return re.search(rf"\bsteps\s*(?:\.\s*|\[\s*[\"']){re.escape(step_id)}\b", source) is not None
