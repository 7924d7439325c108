"""What is wrong with a definition, collected while it is compiled: all of it, not the first thing."""

from dataclasses import dataclass, field

from weft.domain.errors import ErrorCode, Problem
from weft.domain.spelling import Reading


@dataclass(frozen=True, slots=True)
class Findings:
    """Paths come in canonical names and go out as the caller wrote them."""

    reading: Reading
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(
        self,
        code: ErrorCode,
        message: str,
        *path: str,
        hint: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.problems.append(Problem(code, message, self.reading.locate(path), hint, line, column))
