"""Watchers that take payloads at a pace of their own: event streams."""

from weft.kit.conflate import Latest


class StreamWatcher(Latest[bytes]):
    """Iterate over it for the newest payload, whenever there is a newer one."""

    __slots__ = ("is_alone", "told")

    def __init__(self) -> None:
        super().__init__()
        self.told: bytes | None = None
        self.is_alone = False
        """It ended because the operation cannot be shared."""

    def tell(self, payload: bytes) -> None:
        self.put(payload)

    def end(self, errors: bytes | None) -> None:
        if errors is not None:
            self.put(b'{"data":null,"errors":%b}' % errors)
        self.close()

    def go_alone(self) -> None:
        self.is_alone = True
        self.close()
