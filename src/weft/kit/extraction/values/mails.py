"""E-mail addresses, the domain in lower case."""

from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_ADDRESS = Pattern(
    r"(?P<local>[a-z0-9_](?:[a-z0-9_%+'-]|[.][a-z0-9_%+'-]){0,63})(?P<at>@|[ ]?[(]at[)][ ]?|[ ]?\[at\][ ]?)"
    r"(?P<domain>(?:[a-z0-9][a-z0-9-]{0,62}[.]){1,8}[a-z]{2,24})"
)
_LONGEST = 254  # RFC 5321


def find(text: str) -> list[FoundValue]:
    """`jane(at)example.com` is one too, with less confidence."""
    text = plain(text)
    found: list[FoundValue] = []
    for match in _ADDRESS.finditer(text):
        start, end = match.start(), match.end()
        value = f"{match['local']}@{(match['domain'] or '').lower()}"
        before, after = text[start - 1 : start] if start else "", text[end : end + 1]
        is_a_piece = before.isalnum() or before in {"@", "."} or after.isalnum() or after in {"@", "_"}
        if not is_a_piece and len(value) <= _LONGEST:
            found.append(FoundValue(value, start, end, 0.98 if match["at"] == "@" else 0.7))
    return found
