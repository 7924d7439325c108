"""The keys by which a request that comes again is known."""

from weft.domain.errors import Invalid
from weft.kit.storable import is_storable_text

LONGEST = 200


def check_key(key: str) -> None:
    if not 0 < len(key) <= LONGEST or not is_storable_text(key):
        raise Invalid(f"A key has 1 to {LONGEST} characters of text.", path=("idempotencyKey",))
