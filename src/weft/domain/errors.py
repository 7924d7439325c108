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
    │   ├── NotShared          within one answer for several: never seen outside, each gets an answer of its own
    │   └── RateLimited
    └── StartupError           the process cannot start: one sentence, no stack

The docstring of a class is its default message. What happens to an item inside a run is not in this tree: steps speak
through `weft.domain.step` (Skip, Retry, Fail).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class ErrorCode(StrEnum):
    """What kind of mistake it is. Programs go by the code, people by the message.

    INVALID: A value breaks a rule that the message names.
    NOT_FOUND: There is no such thing in this workspace: never made, deleted, or of another workspace.
    CONFLICT: The state of things does not allow it now: a name that is taken, a newer version, a run that is over.
    LIMIT_EXCEEDED: Larger, longer or more often than the server allows; the message names the limit.
    UNAUTHENTICATED: No valid API key came with the request. Only among the top-level errors.
    FORBIDDEN: The role of the API key does not allow it. Only among the top-level errors.
    UNKNOWN_FIELD: A definition has a field that nothing reads; the hint names the one that was meant, where it can be
        told.
    DUPLICATE_STEP: Two steps of a definition have the same id.
    UNKNOWN_STEP_TYPE: A step is of a type that the catalogue does not have; `stepTypes` lists it.
    INVALID_CONFIG: The config of a step does not fit the `configSchema` of its type, or names what is not configured.
    CYCLE: Steps wait for each other in a circle.
    UNKNOWN_REFERENCE: A step, an expression or a text names a step or a value that is not there.
    UNKNOWN_BRANCH: A step depends on a branch that the condition does not have.
    INVALID_EXPRESSION: A CEL expression cannot be read, or compares what cannot be compared; `line` and `column` say
        where.
    INVALID_TEMPLATE: A Liquid text cannot be read; `line` and `column` say where.
    TYPE_MISMATCH: A step would get a value of another type than it needs.
    INVALID_SCHEMA: A JSON Schema is none, or refers to what may not be fetched.
    UNREACHABLE: What a step needs, such as a database, did not answer while the definition was checked: try again.
    """

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


class NotShared(AccessError):
    """This depends on who asks, and is answered for several at once."""


class RateLimited(AccessError):
    """Too much was asked for in too short a time: try again later."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, message: str | None = None, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StartupError(WeftError):
    """The process cannot start."""
