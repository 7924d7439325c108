"""A run in three states, and a feed over a Valkey and a truth of its own."""

import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from progress import states
from progress.private_valkey import PrivateValkey
from progress.truth import Truth

from weft.domain.progress import Progress
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed


@pytest.fixture
def started() -> Progress:
    return states.started()


@pytest.fixture
def later(started: Progress) -> Callable[[int], Progress]:
    return partial(states.later, started)


@pytest.fixture
def ended(started: Progress) -> Progress:
    return states.ended(started)


@pytest.fixture
def truth(started: Progress) -> Truth:
    truth = Truth()
    truth.commit(started)
    return truth


@pytest.fixture
async def valkey() -> AsyncIterator[PrivateValkey]:
    with tempfile.TemporaryDirectory(prefix="weft-valkey-") as folder:
        valkey = PrivateValkey(Path(folder))
        await valkey.start()
        yield valkey
        await valkey.stop()


@pytest.fixture
async def channel(valkey: PrivateValkey) -> AsyncIterator[ProgressChannel]:
    channel = ProgressChannel(valkey.url)
    yield channel
    await channel.close()


@pytest.fixture
async def feed(valkey: PrivateValkey, truth: Truth) -> AsyncIterator[ProgressFeed]:
    async with ProgressFeed(valkey.url, truth.read_newer) as feed:
        yield feed
