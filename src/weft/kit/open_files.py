"""How many files and connections this process may have open."""

import resource
from contextlib import suppress

MANY = 10_240
"""Where the system names no limit: as many as macOS gives, which has one all the same."""


def allow_many() -> int:
    """As many as the system lets it have at all; that many it may have then."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != most:
        with suppress(OSError, ValueError):
            wanted = max(now, MANY) if most == resource.RLIM_INFINITY else most
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MANY if now == resource.RLIM_INFINITY else now
