"""Model providers: made, changed, tested and deleted by admins, seen by everybody in the workspace. Keys never come back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel
from yarl import URL

from weft.auth.secrets import identity_of
from weft.domain.access import Role, Viewer
from weft.domain.errors import ErrorCode, Invalid, LimitExceeded, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.outside import ModelRequest
from weft.domain.page import Page, PageRequest
from weft.domain.providers import ModelProvider, ProviderKind
from weft.domain.step import Fail, Retry
from weft.domain.usage import NO_USAGE, Usage
from weft.operations.labels import name_of
from weft.operations.services import Services
from weft.storage import audit, providers

MOST_PROVIDERS = 100
"""Of one workspace: each may hold connections in every worker."""
LONGEST_URL = 2_000
LONGEST_KEY = 4_000
HIGHEST_LIMIT = 1_000_000_000
_LIMITS = ("requests_per_minute", "tokens_per_minute", "concurrency")
_PROMPT = "Answer with the one word OK."
_MOST_TEST_TOKENS = 64
"""Enough for models that think a little before they speak."""


@dataclass(frozen=True, slots=True)
class ProviderTest:
    """What a small real call came to."""

    ok: bool
    seconds: float
    message: str
    usage: Usage = NO_USAGE
    priced: bool = False


async def create_provider(
    services: Services, viewer: Viewer, *, name: str, kind: ProviderKind, given: Mapping[str, Any]
) -> ModelProvider:
    """`given`: base_url, api_key, and the limits, each where it was said."""
    viewer.need(Role.ADMIN)
    provider_id = new_id()
    values = {"base_url": kind.usual_url, **_checked(services, viewer, provider_id, {**given, "name": name})}
    async with services.database.transaction() as connection:
        names = await providers.provider_names(connection, viewer.workspace_id)
        if len(names) >= MOST_PROVIDERS:
            raise LimitExceeded(f"A workspace has at most {MOST_PROVIDERS} model providers.")
        made = await providers.add_provider(connection, viewer.workspace_id, provider_id, {"kind": kind, **values})
        await audit.record(connection, viewer, "modelProvider.created", made.id, {"name": made.name, "kind": kind})
    return made


async def update_provider(
    services: Services, viewer: Viewer, provider_id: UUID, given: Mapping[str, Any]
) -> ModelProvider:
    """`given`: what changes. A limit or a key that is None is taken away."""
    viewer.need(Role.ADMIN)
    values = _checked(services, viewer, provider_id, given)
    async with services.database.transaction() as connection:
        if values.get("base_url") is not None and "api_key" not in given:
            current = await providers.provider_by_id(connection, viewer.workspace_id, provider_id)
            if current is not None:
                _refuse_moving_the_key(current, values["base_url"])
        changed = await providers.change_provider(connection, viewer.workspace_id, provider_id, values)
        if changed is None:
            raise _no_such()
        details = {"name": changed.name, "changed": sorted(given)}
        await audit.record(connection, viewer, "modelProvider.updated", provider_id, details)
    services.world.models.forget(viewer.workspace_id)
    return changed


async def delete_provider(services: Services, viewer: Viewer, provider_id: UUID) -> ModelProvider:
    """Steps that name it fail from now on, until there is one of that name again."""
    viewer.need(Role.ADMIN)
    async with services.database.transaction() as connection:
        deleted = await providers.delete_provider(connection, viewer.workspace_id, provider_id)
        if deleted is None:
            raise _no_such()
        await audit.record(connection, viewer, "modelProvider.deleted", provider_id, {"name": deleted.name})
    services.world.models.forget(viewer.workspace_id)
    return deleted


async def test_provider(services: Services, viewer: Viewer, provider_id: UUID, model: str) -> ProviderTest:
    """A small real call, of which nothing but its length in time is kept."""
    viewer.need(Role.ADMIN)
    provider = await find_provider(services, viewer, provider_id)
    if provider is None:
        raise _no_such()
    if not model.strip():
        raise Invalid("A model is needed.", path=("model",))
    services.world.models.forget(viewer.workspace_id)
    request = ModelRequest(provider.name, model.strip(), _PROMPT, max_output_tokens=_MOST_TEST_TOKENS, attempts=1)
    outcome = await _asked(services, viewer, request)
    async with services.database.transaction() as connection:
        details = {"name": provider.name, "ok": outcome.ok}
        await audit.record(connection, viewer, "modelProvider.tested", provider_id, details)
    return outcome


async def _asked(services: Services, viewer: Viewer, request: ModelRequest) -> ProviderTest:
    started = time.monotonic()
    try:
        reply = await services.world.of(viewer.workspace_id).models.generate(request)
    except (Retry, Fail) as refusal:
        return ProviderTest(False, time.monotonic() - started, refusal.reason, refusal.usage)
    told = f"{reply.model} answered: {str(reply.value)[:100]}"
    return ProviderTest(True, time.monotonic() - started, told, reply.usage, reply.priced)


async def find_provider(services: Services, viewer: Viewer, provider_id: UUID) -> ModelProvider | None:
    async with services.database.reading() as connection:
        return await providers.provider_by_id(connection, viewer.workspace_id, provider_id)


async def list_providers(services: Services, viewer: Viewer, page: PageRequest) -> Page[ModelProvider]:
    async with services.database.reading() as connection:
        return await providers.page_of_providers(connection, viewer.workspace_id, page)


def _checked(services: Services, viewer: Viewer, provider_id: UUID, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored, by column."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if "name" in given:
        values["name"] = name_of(given["name"] or "", problems)
    if given.get("base_url") is not None:
        values["base_url"] = _url(given["base_url"], problems)
    if "api_key" in given:
        key = _key(given["api_key"], problems)
        identity = identity_of("model_provider", viewer.workspace_id, provider_id)
        values["sealed_key"] = services.world.secrets.seal(key.encode(), identity) if key else None
    for limit in _LIMITS:
        if limit in given:
            values[limit] = _limit(limit, given[limit], problems)
    if problems:
        raise Invalid(problems=problems)
    return values


def _url(written: str, problems: list[Problem]) -> str:
    """Without a slash at the end. Whether it may be reached is asked when it is: names lead elsewhere tomorrow."""
    text = written.strip().rstrip("/")
    try:
        url = URL(text)
        plain = url.scheme in {"http", "https"} and url.host and not url.query_string and not url.fragment
        fits = bool(plain) and url.user is None and url.password is None and url.port is not None
    except ValueError:
        fits = False
    if not fits or len(text) > LONGEST_URL or not text.isprintable() or " " in text:
        problem = Problem(
            ErrorCode.INVALID,
            "This is not the base URL of an API: http or https, a host and a path, with no query and no password in it.",
            ("baseUrl",),
            hint="For example https://api.openai.com/v1",
        )
        problems.append(problem)
    return text


def _key(written: str | None, problems: list[Problem]) -> str:
    key = (written or "").strip()
    if not (key.isascii() and (key.isprintable() or not key)) or " " in key or len(key) > LONGEST_KEY:
        message = f"A key is at most {LONGEST_KEY} visible ASCII characters, since it is sent in a header."
        problems.append(Problem(ErrorCode.INVALID, message, ("apiKey",)))
        return ""
    return key


def _limit(name: str, value: int | None, problems: list[Problem]) -> int | None:
    if value is not None and not 1 <= value <= HIGHEST_LIMIT:
        message = f"A limit is from 1 to {HIGHEST_LIMIT:,}; leave it out for none."
        problems.append(Problem(ErrorCode.INVALID, message, (to_camel(name),)))
    return value


def _refuse_moving_the_key(current: ModelProvider, base_url: str) -> None:
    if current.has_key and URL(base_url).origin() != URL(current.base_url).origin():
        raise Invalid("The key has to be given again, since it would be sent elsewhere.", path=("apiKey",))


def _no_such() -> NotFound:
    return NotFound("There is no such model provider in this workspace.", path=("id",))
