"""How much work a regular expression is. RE2 needs time linear in the text, but times the size of its program, and it writes that anew
for every call: `x{1000}` is a thousand instructions, and a Unicode property four thousand.
"""

import re

PER_INSTRUCTION = 120.0
"""Writing an instruction takes 0.4 µs."""
HIGHEST = 100_000_000.0
"""RE2 gives up on larger programs: the longest measured took 0.33 s."""

_UNKNOWN_PER_BYTE = 170.0
"""Instructions per byte of a pattern that is not known: `x{1000}`, many times."""

_PROPERTY = re.compile(r"\\[pP]")
_PROPERTY_INSTRUCTIONS = 4000.0
_WIDE = 13.0
"""Instructions for characters beyond ASCII, or all but some."""

_TOKEN = re.compile(
    r"""(?P<group>\()|(?P<end>\))|\{(?P<least>\d+)(?:,(?P<most>\d*))?\}"""
    r"""|(?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])|(?P<property>\\[pP](?:\{[^}]*\}|.))"""
    r"""|(?P<wide>\\x\{[^}]*\}|\\[WDSx]|\.|[^\x00-\x7f])|(?P<other>\\.|.)""",
    re.DOTALL | re.VERBOSE,
)


def instructions(pattern: str) -> float:
    """At least as many as RE2 writes for the pattern; not much more, for usual ones."""
    groups: list[list[float]] = [[0.0]]
    for token in _TOKEN.finditer(pattern):
        if token["group"]:
            groups.append([1.0])
        elif token["end"]:
            inside = sum(groups.pop()) if len(groups) > 1 else 0.0
            groups[-1].append(inside)
        elif token["least"]:
            groups[-1][-1] *= max(1, int(token["least"][:5]), int((token["most"] or "0")[:5]))
        else:
            groups[-1].append(_weight(token))
    folded = 3.0 if "(?" in pattern and "i" in pattern else 1.0
    return 1.0 + folded * sum(map(sum, groups))


def _weight(token: re.Match[str]) -> float:
    if token["property"]:
        return _PROPERTY_INSTRUCTIONS
    if (written := token["class"]) is not None:
        properties = len(_PROPERTY.findall(written)) * _PROPERTY_INSTRUCTIONS
        is_wide = written[1] == "^" or not written.isascii() or "\\" in written or "[:^" in written
        return properties + (_WIDE + 2 * len(written) if is_wide else 1.0)
    return _WIDE if token["wide"] else 1.0


def work_of_pattern(pattern: str) -> tuple[float, float]:
    """The work of writing the program, and of each byte of text it reads."""
    if r"\Q" in pattern:
        return HIGHEST, _UNKNOWN_PER_BYTE * len(pattern)  # quoted, brackets may mean nothing
    size = instructions(pattern)
    return min(size * PER_INSTRUCTION, HIGHEST), size


def work_of_unknown() -> tuple[float, float]:
    """The same for one that is in the data: the second is per byte of it too."""
    return HIGHEST, _UNKNOWN_PER_BYTE
