"""Time zones by their names in the IANA database, of this system or of the package `tzdata`."""

import functools
from zoneinfo import ZoneInfo, available_timezones

from weft.kit.suggest import hint_for

_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
"""Files beside the zones: what they mean depends on the machine."""


class ZoneProblemError(ValueError):
    """There is no such time zone. Says so, with what may have been meant."""


@functools.cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


def read_zone(name: str) -> ZoneInfo:
    """Raises `ZoneProblemError`."""
    if name not in known_zones():
        raise ZoneProblemError(
            f"{name[:100]!r} is not the name of a time zone{hint_for(name, sorted(known_zones()))}. "
            "Zones are named as in the IANA database: Europe/Berlin, America/New_York, UTC."
        )
    return ZoneInfo(name)
