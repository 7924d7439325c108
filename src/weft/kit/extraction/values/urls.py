"""Web addresses. One without a scheme (`www.example.com`, `github.com/jane`) gets https."""

from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Match, Pattern, plain

_WORD = Pattern(r'[^\s<>"|]+')
_STARTS = ("https://", "http://", "www.")
_HOST = Pattern(r"(?:[\pL0-9-]+[.])+\pL{2,24}(?P<port>:[0-9]{1,5})?(?P<path>[/?#]|$)")
_CLOSING = {")": "(", "]": "[", "}": "{"}
_LONGEST = 2000


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    return [found for word in _WORD.finditer(text) if (found := _address(word))]


def _address(word: Match) -> FoundValue | None:
    written = word[0] or ""
    start = _start(written)
    address = _without_punctuation(written[start : start + _LONGEST])
    scheme, separator, rest = address.partition("://")
    host = _HOST.match(rest if separator else address)
    if host is None:
        # Beyond one host there are names of one's own network, and addresses of four numbers.
        if not separator or not rest[:1].isalnum():
            return None
        value, sure = f"{scheme.lower()}://{rest}", 0.9
    elif separator:
        value, sure = f"{scheme.lower()}://{rest}", 0.98
    elif address.lower().startswith("www."):
        value, sure = f"https://{address}", 0.9
    elif host["path"] == "/" and "@" not in address:
        value, sure = f"https://{address}", 0.75
    else:
        return None
    return FoundValue(value, word.start() + start, word.start() + start + len(address), sure)


def _start(written: str) -> int:
    """Behind brackets and labels: `(see:https://…`."""
    lower = written.lower()
    places = [place for start in _STARTS if (place := lower.find(start)) >= 0]
    if places and len(lower) == len(written):
        return min(places)
    return len(written) - len(written.lstrip("([{'*,;:-"))


def _without_punctuation(written: str) -> str:
    """The full stop of the sentence is not of the address, nor the bracket around it."""
    opened = {closing: written.count(opening) - written.count(closing) for closing, opening in _CLOSING.items()}
    end = len(written)
    while end:
        last = written[end - 1]
        if last in _CLOSING and opened[last] < 0:
            opened[last] += 1
        elif last not in ".,;:!?'*":
            break
        end -= 1
    return written[:end]
