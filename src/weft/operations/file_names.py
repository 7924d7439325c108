"""What callers say about files: names and hashes."""

import re

from weft.domain.errors import ErrorCode, Problem
from weft.kit.storable import is_storable_text

LONGEST_NAME = 255
LONGEST_KEY = 200

_SHA256 = re.compile(r"[0-9a-f]{64}")


def file_name_of(written: str, problems: list[Problem]) -> str:
    """The name of a file as people see it: without folders, and without what no line of text holds."""
    name = written.strip()
    if not name or len(name) > LONGEST_NAME:
        message = f"A file's name has 1 to {LONGEST_NAME} characters; this one has {len(name):,}."
        problems.append(Problem(ErrorCode.INVALID, message, ("name",)))
    elif not name.isprintable() or not is_storable_text(name):
        message = "The name holds a character that no name has, such as a line break."
        problems.append(Problem(ErrorCode.INVALID, message, ("name",)))
    elif "/" in name or "\\" in name or name in {".", ".."}:
        message = "The name names a folder: give that of the file alone."
        problems.append(Problem(ErrorCode.INVALID, message, ("name",)))
    return name


def sha256_of(written: str | None, problems: list[Problem]) -> str | None:
    """In lower-case hex."""
    if written is None or _SHA256.fullmatch(written.lower()):
        return written and written.lower()
    message = "A SHA-256 has 64 hexadecimal digits."
    problems.append(Problem(ErrorCode.INVALID, message, ("sha256",), "What `sha256sum file` prints first."))
    return None


def check_idempotency_key(key: str | None, problems: list[Problem]) -> None:
    if key is not None and not (0 < len(key) <= LONGEST_KEY and is_storable_text(key)):
        message = f"This must be a text of 1 to {LONGEST_KEY} characters."
        problems.append(Problem(ErrorCode.INVALID, message, ("idempotencyKey",)))
