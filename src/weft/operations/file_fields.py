"""What the data of a document says about its file."""

from collections.abc import Mapping
from typing import Any

from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.files import FILE_FIELDS, RESERVED_FIELDS, DocumentFile


def file_fields(file: DocumentFile) -> dict[str, Any]:
    return {"mimeType": file.mime_type, "size": file.size, "sha256": file.sha256}


def check_file_fields(file: DocumentFile | None, data: Mapping[str, Any]) -> None:
    """Raises Invalid where data says of a document's file what is not so. An entity without a file says what it likes."""
    if file is None:
        return
    there = file_fields(file)
    problems = [
        Problem(
            ErrorCode.INVALID,
            f"{name} is a fact about the document's file, and stays as it is.",
            ("data", name),
            f"It is {there[name]!r}. For another file, make another document.",
        )
        for name in FILE_FIELDS
        if data.get(name) != there[name]
    ]
    if problems:
        raise Invalid(problems=problems)


def check_free_fields(fields: Mapping[str, Any]) -> None:
    """Raises Invalid where a new document's own fields name what createDocument writes."""
    problems = [
        Problem(ErrorCode.INVALID, f"createDocument writes {name} itself.", ("fields", name), "Leave it out.")
        for name in RESERVED_FIELDS
        if name in fields
    ]
    if problems:
        raise Invalid(problems=problems)
