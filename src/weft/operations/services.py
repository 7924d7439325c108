"""What operations work with: built once per process by a composition root, and handed down."""

from dataclasses import dataclass, field
from typing import Any

from weft.domain.catalogue import Catalogue
from weft.engine.outside import World
from weft.engine.plans import PlanCache
from weft.engine.ports import Wakeups
from weft.engine.step_graph import StepGraphs
from weft.kit.clock import Clock, utc_now
from weft.kit.sources import Sources
from weft.kit.tails import Tails
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed
from weft.storage.database import Database


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for at most."""

    entities_per_mutation: int = 100
    ids_per_selection: int = 10_000
    entity_bytes: int = 1_000_000
    import_bytes: int = 10 * 1024**3
    import_errors_kept: int = 1_000
    file_bytes: int = 256 * 1024**2
    files: int = 1_000_000
    """Different ones of one workspace."""
    files_bytes: int = 100 * 1024**3
    """Of all of them together."""
    definition_bytes: int = 1_000_000
    steps_per_definition: int = 200
    wait_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    catalogue: Catalogue
    plans: PlanCache
    wakeups: Wakeups
    progress: ProgressFeed
    channel: ProgressChannel
    """Tells the watchers in all processes when an operation, not a worker, changed a run."""
    secret_key: bytes
    """From which digests of API keys and upload links are made, and secrets at rest are sealed."""
    world: World
    """What definitions are checked against when they are saved, and what admins test."""
    public_url: str
    """How clients reach this server, without a slash at the end: what upload links start with."""
    clock: Clock = utc_now
    limits: Limits = field(default_factory=Limits)
    graphs: StepGraphs = field(default_factory=StepGraphs)
    sources: Sources = field(default_factory=Sources)
    """Of what is watched: runs and imports."""
    tails: Tails[Any] = field(default_factory=Tails[Any])
    """Of the events of watched runs."""
