"""The library's messages about expressions, put into words for the person who wrote the expression."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from weft.kit.cel.guard import LONGEST_RANGE, OVERLONG_INDEX
from weft.kit.suggest import hint_for

FUNCTIONS = (
    "all", "bool", "bytes", "charAt", "contains", "double", "duration", "dyn", "endsWith", "exists", "exists_one",
    "filter", "format", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
    "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "has", "hasValue", "indexOf", "int", "join", "lastIndexOf",
    "lowerAscii", "map", "matches", "math.abs", "math.ceil", "math.floor", "math.greatest", "math.least", "math.round",
    "math.sign", "math.sqrt", "math.trunc", "optFlatMap", "optMap", "optional.none", "optional.of", "optional.ofNonZeroValue",
    "orValue", "replace", "reverse", "size", "split", "startsWith", "string", "strings.quote", "substring", "timestamp",
    "trim", "type", "uint", "upperAscii", "value",
)  # fmt: skip
"""What "did you mean" looks through for a function that does not exist."""

LONGEST_MESSAGE = 300
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class CelProblem:
    """One thing wrong with an expression. Line and column count from 1; `name` is the mapping's name it belongs to."""

    message: str
    line: int
    column: int
    name: str | None = None

    def __str__(self) -> str:
        where = f"{self.line}:{self.column}"
        return f"{self.name} {where}: {self.message}" if self.name is not None else f"{where}: {self.message}"


class CelSyntaxError(ValueError):
    """The expression cannot be used; `problems` has all that is wrong with it."""

    def __init__(self, problems: Iterable[CelProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))

    def under(self, name: str) -> tuple[CelProblem, ...]:
        return tuple(replace(problem, name=name) for problem in self.problems)


def place(source: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


_PROBLEM = re.compile(r"^(?:[A-Z_]+: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_NO_OVERLOAD = re.compile(
    r"(?:found no matching overload for '([^']*)' applied to|No matching overloads found : (\S+?)) ?'?\((.*)\)'?"
)
_TYPE_WORDS = {"int64": "int", "uint64": "uint", "null_type": "null", "google.protobuf.Timestamp": "timestamp"}
_STATUS = re.compile(r"^[A-Z_]+: ")
_STATUS_AFTER = re.compile(r" \[[A-Z_]+\]$")


def problems_of(text: str, source: str, names: Collection[str]) -> list[CelProblem]:
    """What the library's error text says, one problem per place."""
    if "{{" in source and "recursion" not in text:
        line = source[: source.index("{{")].count("\n") + 1
        column = source.index("{{") - (source.rfind("\n", 0, source.index("{{")) + 1) + 1
        return [CelProblem("this is a CEL expression: write it without {{ and }}", line, column)]
    found: dict[tuple[int, int, str], CelProblem] = {}
    for line, column, message in _PROBLEM.findall(text)[:MOST_PROBLEMS]:
        if "<<nil>>" in message:
            continue  # what the library says after a syntax error it has already named
        problem = _readable(message, max(1, int(line)), max(1, int(column)), source, names)
        found.setdefault((problem.line, problem.column, problem.message), problem)
    return list(found.values()) or [CelProblem(_short(_plain(text)), 1, 1)]


def _readable(message: str, line: int, column: int, source: str, names: Collection[str]) -> CelProblem:
    if undeclared := _UNDECLARED.match(message):
        return _undeclared(undeclared[1], line, column, source, names)
    return CelProblem(_short(_plain(message)), line, column)


def _undeclared(path: str, line: int, column: int, source: str, names: Collection[str]) -> CelProblem:
    lines = source.splitlines()
    text = lines[line - 1] if line <= len(lines) else ""
    is_call = text[column - 1 : column] == "("
    name = path if is_call else path.split(".", 1)[0]
    # The library points at the last dot or the bracket; the name stands before it.
    start = text.rfind(name, 0, column - 1 + len(name))
    what, candidates = ("function", FUNCTIONS) if is_call else ("name", names)
    return CelProblem(
        f'there is no {what} "{_short(name)}" here{hint_for(name, candidates)}',
        line,
        start + 1 if start >= 0 else column,
    )


def _plain(message: str) -> str:
    message = _STATUS_AFTER.sub("", _STATUS.sub("", message)).replace(" (in container '')", "")
    if "recursion" in message:
        return "the expression is nested too deeply: at most 32 levels are allowed"
    if overload := _NO_OVERLOAD.search(message):
        return cannot_apply(overload[1] or overload[2], [part.strip() for part in overload[3].split(", ")])
    if "token recognition error" in message:
        return f"this is not CEL: {message.partition('error at: ')[2]}"
    if "mismatched input '<EOF>'" in message:
        return "the expression ends too early"
    if "mismatched input" in message or "extraneous input" in message:
        return f"unexpected {message.partition(' input ')[2].partition(' expecting')[0]}"
    return message.removeprefix("Syntax error: ")


def cannot_apply(function: str, kinds: Collection[str]) -> str:
    """Why a function or operator does not work on these types."""
    words = [_TYPE_WORDS.get(kind, kind) for kind in kinds]
    if function == "_?_:_":
        return f"both sides of ?: must be of one type, not {_and(words[1:])} (dyn(…) around one of them allows it)"
    if function == "size":
        return f"a value of type {_and(words)} has no size, and cannot be looped over"
    symbol = function.strip("_@") if function.startswith(("_", "@")) or function.endswith("_") else function
    symbol = {"[": "[…]", "?_:": "?:", "[_]": "[…]"}.get(symbol.strip("_"), symbol.strip("_")) or function
    numbers = {"int", "uint", "double"}
    mixed = len(set(words)) > 1 and set(words) <= numbers
    hint = " (write 5.0 for a double, or convert with double(…) or int(…))" if mixed else ""
    return f'"{symbol}" cannot be applied to {_and(words)}{hint}'


def run_time_message(text: str) -> str:
    """What an evaluation that failed says."""
    message = _STATUS_AFTER.sub("", _STATUS.sub("", text))
    if str(OVERLONG_INDEX) in message:
        return f"a list of more than {LONGEST_RANGE} elements cannot be looped over"
    if "Iteration budget exceeded" in message:
        return "the loops take more than 10000 rounds together"
    if message.startswith("Key not found in map"):
        return f"there is no {message.rpartition(' : ')[2]}"
    if message.startswith("No value with name"):
        return f"no value was given for {message.split(chr(34))[1]!r}" if '"' in message else message
    if message.startswith("Applying SELECT"):
        return "a field is read from something that is not an object"
    return _short(_plain(message))


def _and(words: Collection[str]) -> str:
    *first, last = words or ["nothing"]
    return f"{', '.join(first)} and {last}" if first else last


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} …"
