"""A document of any format, read.

Here, and nowhere else, the libraries that read documents are loaded: each when its first document comes. Together they take
some 100 MB and a second, in processes that may never read one.
"""

from importlib import import_module
from types import ModuleType

from weft.kit.parsing.parsed import DocumentError, Parsed, UnforeseenError, Wanted, too_large
from weft.kit.parsing.source import Source


def loaded(name: str) -> ModuleType:
    """A module of this package."""
    return import_module(f"weft.kit.parsing.{name}")


def read(source: Source, wanted: Wanted) -> Parsed:
    """Raises DocumentError, and MemoryError."""
    found = loaded("formats").recognised(source)
    try:
        return loaded(found.module).parse(source, wanted, found)
    except (DocumentError, MemoryError):
        raise
    except RecursionError as error:
        raise too_large("The document is nested too deeply.") from error
    except Exception as error:  # the libraries raise whatever their authors did not foresee
        reason = f"The document cannot be read as {found.name.upper()}: {type(error).__name__}."
        raise UnforeseenError("DOCUMENT_BROKEN", reason) from error
