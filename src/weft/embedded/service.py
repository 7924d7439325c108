"""What the supervisor needs to know about a thing it keeps running."""

import os
from typing import IO, Protocol

from weft.kit.process import Command

# Nothing of the caller's environment reaches the servers: PG* variables and locales would change how they behave.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


class Service(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def command(self) -> Command: ...

    async def prepare(self, log: IO[bytes]) -> None:
        """Everything that must be true before each start."""
        ...

    async def is_ready(self) -> bool:
        """Whether it answers; asked again and again after each start."""
        ...
