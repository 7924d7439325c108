"""Models, for the steps of one run: when calls stand in line for long, its log says so, once in a while.

Not line by line: the limits of a provider hold up every item alike, and a run that waits for its turn is in no trouble.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from weft.domain.outside import ModelReply, ModelRequest, Models
from weft.kit.rarely import Rarely

LONG_WAIT = timedelta(seconds=10)
PAUSE_SECONDS = 60.0
"""Between two lines about the same provider."""


class TellingModels:
    def __init__(self, models: Models, waited: Callable[[str, timedelta], None]) -> None:
        """`waited` is told which provider it is, and how long a call stood in line."""
        self._models = models
        self._waited = waited
        self._said: dict[str, Rarely] = {}

    async def providers(self) -> Sequence[str]:
        return await self._models.providers()

    async def generate(self, request: ModelRequest) -> ModelReply:
        reply = await self._models.generate(request)
        if reply.waited >= LONG_WAIT and self._said.setdefault(request.provider, Rarely(PAUSE_SECONDS)).due():
            self._waited(request.provider, reply.waited)
        return reply
