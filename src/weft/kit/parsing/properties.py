"""What an Office document says about itself."""

from datetime import datetime
from typing import Any

_NAMES = {
    "title": "title",
    "author": "author",
    "subject": "subject",
    "keywords": "keywords",
    "language": "language",
    "created": "createdAt",
    "modified": "modifiedAt",
}
_LONGEST_VALUE = 1_000


def core_properties(document: Any) -> dict[str, Any]:
    """Of a document of python-docx or python-pptx. A property that cannot be read is left out."""
    found: dict[str, Any] = {}
    for name, called in _NAMES.items():
        try:
            value = getattr(document.core_properties, name)
        except (ValueError, KeyError, AttributeError, TypeError):
            continue
        if isinstance(value, datetime):
            found[called] = value.isoformat()
        elif isinstance(value, str) and value.strip():
            found[called] = value.strip()[:_LONGEST_VALUE]
    return found
