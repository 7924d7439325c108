"""Liquid templates from strangers: compiled once, rendered often.

The dialect is standard Liquid without `include` and `render`: a template cannot reach another. A name that is not given is an error that
says so, but it can be asked for: `{% if note %}`, `{{ note | default: "none" }}`.

What is bounded: the template's length, the nesting of its blocks, the rounds of its loops (nested loops multiplied), the size of its
output and of the variables it sets, what every single filter takes and makes (`liquid_filters`), and the time of one rendering, which is
looked at whenever a variable is read or a filter runs.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from liquid import Environment, FalsyStrictUndefined, RenderContext
from liquid.exceptions import (
    LiquidError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    UndefinedError,
)
from liquid.span import Span
from liquid.static_analysis import TemplateAnalysis, Variable
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import UNDEFINED

from weft.kit.liquid_filters import check_deadline, limit_filters
from weft.kit.liquid_plain import plain_parts, written
from weft.kit.suggest import hint_for

LONGEST_TEMPLATE = 50_000
LARGEST_OUTPUT = 1_000_000
MOST_ROUNDS = 10_000
LARGEST_VARIABLES = 1_000_000
DEEPEST_BLOCKS = 20
MOST_NODES = 1000
LONGEST_RENDERING_SECONDS = 1.0
"""Of this thread's own time: a process that was stopped, or had to wait for a busy machine, is not the template's fault.
A hundred thousand times what a usual template takes: only one that was made to be slow gets there."""

_MESSAGES: dict[type[LiquidError], str] = {
    LoopIterationLimitError: f"the loops take more than {MOST_ROUNDS} rounds together",
    OutputStreamLimitError: f"the text is longer than {LARGEST_OUTPUT} bytes",
    LocalNamespaceLimitError: f"the variables hold more than {LARGEST_VARIABLES} bytes",
}


@dataclass(frozen=True, slots=True)
class LiquidProblem:
    """One thing wrong with a template. Line and column count from 1."""

    message: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class LiquidSyntaxProblemError(ValueError):
    """The template cannot be used; `problems` has what is wrong with it."""

    def __init__(self, problems: list[LiquidProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class LiquidRenderError(Exception):
    """The template failed on this data; the message says where and why."""

    def __init__(self, problem: LiquidProblem) -> None:
        super().__init__(str(problem))
        self.message = problem.message
        self.problem = problem


@dataclass(frozen=True, slots=True)
class LiquidVariable:
    """A path the template reads from the data given to it, and the first place where it does.

    It ends where the names end: `lines[0].price` is ("lines",), and so is `lines[index]`.
    """

    path: tuple[str, ...]
    line: int
    column: int

    def __str__(self) -> str:
        return ".".join(self.path)


class _LimitedContext(RenderContext):
    __slots__ = ("deadline", "measured_from")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.deadline = time.monotonic() + LONGEST_RENDERING_SECONDS
        self.measured_from: float | None = None

    def late(self, now: float) -> bool:
        """Whether the rendering, which is past its deadline, really worked so long. The first time, measuring only begins."""
        self.deadline = now + LONGEST_RENDERING_SECONDS
        if self.measured_from is None:
            self.measured_from = time.thread_time()
        return time.thread_time() - self.measured_from > LONGEST_RENDERING_SECONDS / 2

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        check_deadline(self)
        return super().get(path, token=token, default=default)


class _LimitedTemplate(BoundTemplate):
    context_class = _LimitedContext


class _LimitedEnvironment(Environment):
    template_class = _LimitedTemplate
    block_nesting_limit: ClassVar[int] = DEEPEST_BLOCKS
    context_depth_limit: ClassVar[int] = DEEPEST_BLOCKS + 10
    loop_iteration_limit: ClassVar[int | None] = MOST_ROUNDS
    local_namespace_limit: ClassVar[int | None] = LARGEST_VARIABLES
    output_stream_limit: ClassVar[int | None] = LARGEST_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in ("include", "render"):
            del self.tags[tag]
        limit_filters(self.filters)


class LiquidTemplate:
    """A compiled template. Safe to share between threads and runs."""

    def __init__(self, source: str, template: BoundTemplate, variables: tuple[LiquidVariable, ...]) -> None:
        self.source = source
        self.variables = variables
        self._template = template
        self._parts = plain_parts(template)

    @cached_property
    def roots(self) -> frozenset[str] | None:
        """The names it reads from the data given to it; None where one of them is only known by its rendering: `{{ [name] }}`."""
        analysis = self._template.analyze(include_partials=False)
        if any(not isinstance(one.segments[0], str) for found in analysis.globals.values() for one in found):
            return None
        return frozenset(variable.path[0] for variable in self.variables)

    def render(self, values: Mapping[str, Any]) -> str:
        """Raises LiquidRenderError with the place in the template."""
        try:
            if self._parts is not None and (text := written(self._parts, values)) is not None:
                return text
            return self._template.render(values)
        except LiquidError as error:
            raise LiquidRenderError(_problem(error, self.source)) from error
        except (ValueError, TypeError, ArithmeticError, RecursionError, AttributeError, LookupError) as error:
            # Filters of the library raise these on values they were not made for.
            raise LiquidRenderError(LiquidProblem(f"a filter failed: {error}"[:300], 1, 1)) from error


@lru_cache(maxsize=2)
def _environment(autoescape: bool) -> Environment:
    return _LimitedEnvironment(undefined=FalsyStrictUndefined, autoescape=autoescape)


def compile_liquid(source: str, *, autoescape: bool = False) -> LiquidTemplate:
    """Raises LiquidSyntaxProblemError. `autoescape` writes every value HTML-escaped, for texts that become web pages or mails."""
    if len(source) > LONGEST_TEMPLATE:
        message = f"the template has {len(source)} characters, at most {LONGEST_TEMPLATE} are allowed"
        raise LiquidSyntaxProblemError([LiquidProblem(message, 1, 1)])
    if source.count("{%") + source.count("{{") > MOST_NODES:
        raise LiquidSyntaxProblemError(
            [LiquidProblem(f"the template has more than {MOST_NODES} tags and outputs", 1, 1)]
        )
    environment = _environment(autoescape)
    try:
        template = environment.from_string(source)
        analysis = template.analyze(include_partials=False)
    except LiquidError as error:
        raise LiquidSyntaxProblemError([_problem(error, source)]) from error
    except RecursionError as error:  # in the analysis; the parser wraps its own
        raise LiquidSyntaxProblemError([LiquidProblem("the template is nested too deeply", 1, 1)]) from error
    if problems := list(_unknown_filters(analysis, environment, source)):
        raise LiquidSyntaxProblemError(problems)
    return LiquidTemplate(source, template, tuple(_variables(analysis, source)))


def _unknown_filters(analysis: TemplateAnalysis, environment: Environment, source: str) -> Iterator[LiquidProblem]:
    for name, spans in analysis.filters.items():
        if name not in environment.filters:
            line, column = _place(source, spans[0].index)
            yield LiquidProblem(f'there is no filter "{name}"{hint_for(name, environment.filters)}', line, column)


def _variables(analysis: TemplateAnalysis, source: str) -> Iterator[LiquidVariable]:
    first: dict[tuple[str, ...], Span] = {}
    for variables in analysis.globals.values():
        for variable in variables:
            path = _path(variable)
            if path and (path not in first or variable.span.index < first[path].index):
                first[path] = variable.span
    for path, span in sorted(first.items(), key=lambda item: item[1].index):
        yield LiquidVariable(path, *_place(source, span.index))


def _path(variable: Variable) -> tuple[str, ...]:
    names: list[str] = []
    for segment in variable.segments:
        if not isinstance(segment, str):
            break
        names.append(segment)
    # These ask something of the value before them, unless the value has a field of that name.
    while len(names) > 1 and names[-1] in {"size", "first", "last"}:
        names.pop()
    return tuple(names)


def _problem(error: LiquidError, source: str) -> LiquidProblem:
    line, column = _place(source, error.token.start_index) if error.token is not None else (1, 1)
    message = _MESSAGES.get(type(error)) or str(error.message or "the template is not valid Liquid")
    if message.endswith("found end of expression"):
        # A block that is never closed; the library gives no place.
        line, column = _place(source, len(source))
        message = message.replace("end of expression", "the end of the template")
    elif isinstance(error, UndefinedError):
        message = f"there is no value for {message.removesuffix(' is undefined')}"
    elif isinstance(error.__cause__, RecursionError):
        message = "the template is nested too deeply"
    return LiquidProblem(message[:300], line, column)


def _place(source: str, index: int) -> tuple[int, int]:
    before = source[: max(0, index)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
