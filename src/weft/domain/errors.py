"""Everything that can go wrong in a way that somebody has to be told.

    WeftError
    ├── CallerError            the caller can put it right: becomes data (`errors: [UserError!]!`)
    │   ├── Invalid            one or more problems, each with its path
    │   ├── NotFound
    │   ├── Conflict
    │   └── LimitExceeded
    ├── AccessError            becomes a top-level error with `extensions.code`
    │   ├── Unauthenticated
    │   ├── Forbidden
    │   └── RateLimited
    └── StartupError           the process cannot start: one sentence, no stack

The docstring of a class is its default message. What happens to an item inside a run is not in this tree: steps speak
through `weft.domain.step` (Skip, Retry, Fail).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class ErrorCode(StrEnum):
    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    # Problems of a definition. Each names one kind of mistake, so that an editor can offer its mend.
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    DUPLICATE_STEP = "DUPLICATE_STEP"
    UNKNOWN_STEP_TYPE = "UNKNOWN_STEP_TYPE"
    INVALID_CONFIG = "INVALID_CONFIG"
    CYCLE = "CYCLE"
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"
    UNKNOWN_BRANCH = "UNKNOWN_BRANCH"
    INVALID_EXPRESSION = "INVALID_EXPRESSION"
    INVALID_TEMPLATE = "INVALID_TEMPLATE"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    INVALID_SCHEMA = "INVALID_SCHEMA"
    UNREACHABLE = "UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and how it might be put right."""

    code: ErrorCode
    message: str
    path: tuple[str, ...] = ()
    hint: str | None = None
    line: int | None = None
    """Line within the text at `path` (an expression, a template), from 1."""
    column: int | None = None
    """Column within that line, from 1."""

    def under(self, *prefix: str) -> "Problem":
        return replace(self, path=(*prefix, *self.path))


class WeftError(Exception):
    """Something went wrong."""

    code: ErrorCode = ErrorCode.INVALID

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__ or "")

    @property
    def message(self) -> str:
        return str(self.args[0])


class CallerError(WeftError):
    """The request cannot be carried out as it is."""

    def __init__(self, message: str | None = None, *, path: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.hint = hint

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (Problem(self.code, self.message, self.path, self.hint),)


class Invalid(CallerError):
    """The input is not valid."""

    def __init__(
        self,
        message: str | None = None,
        *,
        path: Sequence[str] = (),
        hint: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message or (problems[0].message if problems else None), path=path, hint=hint)
        self._problems = tuple(problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems or super().problems


class NotFound(CallerError):
    """There is no such thing in this workspace."""

    code = ErrorCode.NOT_FOUND


class Conflict(CallerError):
    """The state of things does not allow this now."""

    code = ErrorCode.CONFLICT


class LimitExceeded(CallerError):
    """This is larger than what is allowed."""

    code = ErrorCode.LIMIT_EXCEEDED


class AccessError(WeftError):
    """Access is refused."""

    code = ErrorCode.FORBIDDEN


class Unauthenticated(AccessError):
    """A valid API key is needed: send it as `Authorization: Bearer <key>`."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(AccessError):
    """The role of this API key does not allow this."""

    code = ErrorCode.FORBIDDEN


class RateLimited(AccessError):
    """Too much was asked for in too short a time: try again later."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, message: str | None = None, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StartupError(WeftError):
    """The process cannot start."""
