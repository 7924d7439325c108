"""MIME types by the name's ending, for people who write "pdf" and mean the type."""

import mimetypes

_OPENXML = "application/vnd.openxmlformats-officedocument."
_BEYOND_THE_LIBRARY = {
    "docx": f"{_OPENXML}wordprocessingml.document",
    "xlsx": f"{_OPENXML}spreadsheetml.sheet",
    "pptx": f"{_OPENXML}presentationml.presentation",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "msg": "application/vnd.ms-outlook",
    "rtf": "application/rtf",
    "xml": "application/xml",
}

# The library's own table alone: it would also read files of the machine, and mean something else on each.
_BY_EXTENSION = {
    ending.removeprefix("."): kind for ending, kind in mimetypes.MimeTypes().types_map[True].items()
} | _BEYOND_THE_LIBRARY


def mime_type_of(extension: str) -> str | None:
    """Of an ending with or without its dot, in any case; None where it is not known."""
    return _BY_EXTENSION.get(extension.strip().removeprefix(".").lower())


def extensions() -> list[str]:
    return list(_BY_EXTENSION)
