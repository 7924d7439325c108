"""Web pages of other origins that may open no websocket here: an operator is told, and with which setting it may."""

import logging

import structlog

from weft.kit.rarely import Rarely

LONGEST_ORIGIN = 200

logger = structlog.stdlib.get_logger(__name__)


class ForeignPages:
    """One for each process: a page that tries again and again fills no log."""

    def __init__(self) -> None:
        self._complaint = Rarely(60)
        # The library tells the same each time, with the name of an argument that is no setting of ours.
        logging.getLogger("strawberry.ws").addFilter(_own_words)

    def refused(self, origin: str) -> None:
        if self._complaint.due():
            shown = "".join(c if c.isprintable() else "?" for c in origin[:LONGEST_ORIGIN])
            logger.warning(
                "A web page of another origin was refused a websocket. If it may: add it to WEFT_ALLOWED_ORIGINS.",
                origin=shown,
            )


def _own_words(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Rejected WebSocket connection from origin")
