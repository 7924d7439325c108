"""The sources of Weft as syntax trees, and the files that belong to the project."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = ROOT / "src"
_BINARY = (".png", ".jpg", ".gif", ".ico", ".pdf", ".zip", ".gz")


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def name(self) -> str:
        parts = self.path.relative_to(SOURCES).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.place)


def modules() -> list[Module]:
    return [Module(path) for path in sorted((SOURCES / "weft").rglob("*.py"))]


def texts() -> dict[str, str]:
    """Every text file that is in the repository or would be added to it, by its place."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    places = [place for place in listed.split("\0") if place and not place.endswith(_BINARY)]
    return {place: (ROOT / place).read_text(encoding="utf-8") for place in places if (ROOT / place).is_file()}
