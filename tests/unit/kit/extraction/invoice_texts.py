"""Invoices of our own making, as the text of a page: many layouts and languages, with what is wrong to take beside what is right.

`invoices/first` is what the rules were written with; `invoices/later` was written when they stood, so they were not made for it.
`invoices/senders` has the issuer where it is hard to tell from who is to pay: at the foot, at the right, second, without a legal form.
No company, person or account in them exists.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).with_name("invoices")


@dataclass(frozen=True)
class Sample:
    name: str
    about: str
    text: str
    expected: dict[str, Any]
    lines: list[dict[str, Any]]


def _samples(group: str) -> tuple[Sample, ...]:
    return tuple(_sample(path) for path in sorted((FOLDER / group).glob("*.txt")))


def _sample(path: Path) -> Sample:
    known = orjson.loads(path.with_suffix(".json").read_bytes())
    return Sample(path.stem, known["about"], path.read_text(), known["expected"], known.get("lines", []))


SAMPLES = _samples("first")
LATER = _samples("later")
SENDERS = _samples("senders")
