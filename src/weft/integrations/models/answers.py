"""What a model wrote, as JSON that fits a schema, or what is wrong with it in words that the model understands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from weft.kit.json_schema import SchemaValidator
from weft.kit.schema_limits import deeper_than
from weft.kit.storable import NUL_AS_JSON, path_to_nul, storable

DEEPEST_ANSWER = 200
"""What is read may be nested deeper than what can be written again."""
MOST_TOLD = 20
"""Of the violations: more would only make the model's next prompt long."""
MOST_FENCED = 50
"""Parts that are looked at: a model that runs wild writes a million."""
_FENCED = re.compile(r"```[A-Za-z0-9_-]*[ \t]*\r?\n(.*?)```", re.DOTALL)
_OPENS = re.compile(r"[\[{]")


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why an answer is not what was asked for."""

    violations: tuple[str, ...]

    @property
    def reason(self) -> str:
        more = len(self.violations) - 3
        return "; ".join(self.violations[:3]) + (f"; and {more} more" if more > 0 else "")

    @property
    def for_the_model(self) -> str:
        listed = "\n".join(f"- {violation}" for violation in self.violations)
        return (
            f"Your answer does not fit the JSON Schema that was asked for:\n{listed}\n"
            "Answer again with the whole corrected JSON and nothing else."
        )


def instructions_for(schema: Any) -> str:
    """For models that take a schema only as part of what they are told."""
    return (
        "Answer with JSON that fits this JSON Schema, and with nothing before or after it:\n\n"
        f"{orjson.dumps(schema).decode()}"
    )


def read_json(text: str, validator: SchemaValidator) -> tuple[Any, Misfit | None]:
    """The JSON in a text. Models like to wrap it in fences and kind words, so the first part counts that is JSON and fits."""
    misfit: Misfit | None = None
    for candidate in _candidates(text):
        try:
            value = orjson.loads(candidate)
        except ValueError:
            continue
        if (fault := _why_of_no_use(candidate, value)) is not None:
            misfit = misfit or Misfit((fault,))
            continue
        violations = validator.check(value, most=MOST_TOLD)
        if not violations:
            return value, None
        misfit = misfit or Misfit(tuple(f"{'.'.join(one.path) or 'the answer'}: {one.message}" for one in violations))
    return None, misfit or Misfit(("the answer is not valid JSON",))


def _why_of_no_use(written: str, value: Any) -> str | None:
    """What no step could hand on, however well it fits the schema: better asked again than paid for nothing."""
    if deeper_than(value, DEEPEST_ANSWER):
        return f"the answer is nested more than {DEEPEST_ANSWER} levels deep"
    if NUL_AS_JSON.decode() in written and (path := path_to_nul(value)) is not None:
        return f"{storable('.'.join(path)) or 'the answer'}: it holds the character NUL, which no text may hold"
    return None


def _candidates(text: str) -> Iterator[str]:
    """From the likeliest: all of it, what is fenced, from the first bracket to the last."""
    stripped = text.strip()
    yield stripped
    for fenced in islice(_FENCED.finditer(stripped), MOST_FENCED):
        yield fenced[1].strip()
    opens = _OPENS.search(stripped)
    if opens is not None:
        closes = stripped.rfind("}" if opens[0] == "{" else "]")
        yield stripped[opens.start() : closes + 1]
