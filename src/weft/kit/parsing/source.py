"""The bytes of a document: a file on this machine's disk, or what stood within another document."""

import io
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import BinaryIO


@dataclass(frozen=True)
class Source:
    content: Path | bytes
    name: str = ""
    """As its owner calls it: it tells text formats apart, and nothing else."""
    mime_type: str = ""
    """As it was told; a hint like the name."""
    depth: int = 0
    """How many documents this one stands in."""

    @cached_property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @property
    def extension(self) -> str:
        return PurePath(self.name.replace("\\", "/")).suffix.lower()

    def opened(self) -> BinaryIO:
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def head(self, most_bytes: int) -> bytes:
        with closing(self.opened()) as file:
            return file.read(most_bytes)
