"""README.md as its readers use it: its code blocks, and the parts that say the same as the code."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int
    """Where its code begins in README.md, from 1."""
    section: str
    """The heading that it stands under."""


def _section(position: int) -> str:
    headings = re.findall(r"^## (.*)$", TEXT[:position], re.MULTILINE)
    return headings[-1] if headings else ""


BLOCKS = [
    Block(found[1], found[2], TEXT.count("\n", 0, found.start(2)) + 1, _section(found.start()))
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
]


def blocks(language: str, containing: str = "") -> list[Block]:
    return [block for block in BLOCKS if block.language == language and containing in block.code]


def block(language: str, containing: str = "") -> Block:
    (only,) = blocks(language, containing)
    return only
