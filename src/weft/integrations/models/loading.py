"""Fetches the model libraries when the first model is asked: they take seconds, and come with an extra."""

import asyncio
import importlib
import importlib.util
from functools import cache
from typing import cast

from weft.domain.step import Fail
from weft.integrations.models.asking import LibraryModule

_NEEDED = ("pydantic_ai", "openai", "anthropic", "genai_prices")
MISSING = "Models need libraries that are not installed here: install Weft's extra `models` into the Python that runs it, and restart it."


@cache
def are_installed() -> bool:
    """Whether the extra is there; nothing is imported for it."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


async def load() -> LibraryModule:
    """In a thread, so that heartbeats go on meanwhile. Raises `Fail` where the extra is missing."""
    if not are_installed():
        raise Fail(MISSING, code="MODELS_NOT_INSTALLED")
    module = await asyncio.to_thread(importlib.import_module, "weft.integrations.models.library")
    return cast("LibraryModule", module)
