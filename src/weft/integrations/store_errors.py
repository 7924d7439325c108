"""What goes wrong with stored files."""

import errno

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class StoreUnavailable(Exception):
    """The file store cannot be used for the moment."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)

    @classmethod
    def of(cls, error: Exception) -> "StoreUnavailable":
        """Without the error's own words, which may name hosts and paths of the operator's."""
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return cls("The file store has no room left.")
        return cls()


class NotStored(Exception):
    """There is no such file in the store."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)
