"""What operations work with: built once per process by a composition root, and handed down."""

from dataclasses import dataclass, field
from typing import Protocol

from weft.domain.step import Catalogue
from weft.kit.clock import Clock, utc_now
from weft.progress.feed import ProgressFeed
from weft.storage.database import Database


class Wakeups(Protocol):
    """Tells the workers that there may be something to do. A lost wake-up delays work by a second and never loses it."""

    async def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for at most."""

    entities_per_mutation: int = 100
    ids_per_selection: int = 10_000
    entity_bytes: int = 1_000_000
    import_bytes: int = 10 * 1024**3
    import_errors_kept: int = 1_000
    definition_bytes: int = 1_000_000
    steps_per_definition: int = 200
    wait_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    catalogue: Catalogue
    wakeups: Wakeups
    progress: ProgressFeed
    secret_key: bytes
    """From which digests of API keys and upload links are made."""
    public_url: str
    """How clients reach this server, without a slash at the end: what upload links start with."""
    clock: Clock = utc_now
    limits: Limits = field(default_factory=Limits)
