"""How long what is over is kept, by kind of data."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Ages:
    """None: for ever."""

    runs: timedelta | None = timedelta(days=90)
    """Since their end, with all that belongs to them."""
    logs: timedelta | None = timedelta(days=30)
    """Of runs, line by line."""
    events: timedelta | None = timedelta(days=30)
    """That were looked at, and the firings that came of them. One that still waits is kept."""
    deliveries: timedelta | None = timedelta(days=30)
    """Since they arrived or were given up, with their attempts."""
    audit: timedelta | None = timedelta(days=365)
    imports: timedelta | None = timedelta(days=30)
    """Since anything came in, with the errors of their rows."""
    files: timedelta | None = timedelta(days=7)
    """Uploads, since their links expired; files that no upload and no document has, since they came in."""
    idempotency_keys: timedelta | None = timedelta(days=7)
    api_keys: timedelta | None = timedelta(days=90)
    """Since they were revoked or expired. One that the audit log names is kept with it."""
