'''What the docstring of an enum says: of the enum, and of each of its members.

    class Overlap(StrEnum):
        """What becomes of a time that comes while a run goes on still.

        SKIP: Nothing is run.
        QUEUE: Its run begins when those before it have ended, in the
            order of their times.
        """

A line that begins with the name of a member and a colon begins what is said of that member; it ends where the next begins.
The words stand in the docstring of the class, not below each member, since Python keeps only those.
'''

from enum import Enum


def described(enum: type[Enum]) -> tuple[str, dict[str, str]]:
    """What is said of the enum, and of its members by their names. Line breaks count as spaces."""
    whole: list[str] = []
    members: dict[str, list[str]] = {}
    words = whole
    for line in (enum.__doc__ or "").splitlines():
        name, colon, text = line.strip().partition(": ")
        if colon and name in enum.__members__:
            words = members[name] = [text]
        else:
            words.append(line.strip())
    return _joined(whole), {name: _joined(said) for name, said in members.items()}


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
