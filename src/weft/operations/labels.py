"""Names, descriptions and categories, as people write them."""

from weft.domain.errors import ErrorCode, Problem

MAX_NAME = 200
MAX_CATEGORY = 100
MAX_DESCRIPTION = 10_000


def name_of(written: str, problems: list[Problem]) -> str:
    name = _within("name", written.strip(), MAX_NAME, problems)
    if not name:
        problems.append(Problem(ErrorCode.INVALID, "A name is needed.", ("name",)))
    return name


def description_of(written: str, problems: list[Problem]) -> str:
    return _within("description", written.strip(), MAX_DESCRIPTION, problems)


def category_of(written: str | None, problems: list[Problem]) -> str | None:
    """None where it is empty."""
    return _within("category", (written or "").strip(), MAX_CATEGORY, problems) or None


def _within(field: str, text: str, longest: int, problems: list[Problem]) -> str:
    if len(text) > longest:
        message = f"The {field} has {len(text):,} characters; at most {longest:,} are allowed."
        problems.append(Problem(ErrorCode.LIMIT_EXCEEDED, message, (field,)))
    if "\0" in text:
        problems.append(Problem(ErrorCode.INVALID, f"The {field} contains a character that is no text.", (field,)))
    return text
