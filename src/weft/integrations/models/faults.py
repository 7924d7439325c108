"""What an error of the model libraries means for the item: tried again later, or not at all."""

from datetime import timedelta
from typing import cast

from pydantic_ai.exceptions import AgentRunError, ModelHTTPError, ModelQuotaExceededError, UserError

from weft.domain.step import Fail, Retry
from weft.integrations.models.asking import SchemaRefused
from weft.kit.retry_after import retry_after
from weft.kit.storable import storable

LONGEST_PAUSE = timedelta(hours=1)
"""A provider may ask for less, not for more."""
_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, *range(500, 600)}) - {501, 505}
_KEY_REFUSED = frozenset({401, 403})
_NOT_FOUND = 404
_NOT_TAKEN = frozenset({400, 404, 415, 422, 501})
_OF_SCHEMAS = ("response_format", "json_schema", "json_object", "output_format", "output_config", "schema", "tool",
               "structured", "json mode")  # fmt: skip
"""Words of a refusal that speaks of the way in which JSON was asked for."""
_LONGEST_REASON = 500


def outcome_of(error: Exception, provider: str, key: str | None, *, asked_by_schema: bool) -> Retry | Fail:
    """The key is never part of what is told, even where a provider echoes it."""
    if (signal := _signal_in(error)) is not None:
        return signal
    if isinstance(error, ModelHTTPError):
        return _refusal(error, provider, _words(error.body, key), asked_by_schema=asked_by_schema)
    words = _clean(f"{error}" if isinstance(error, AgentRunError) else f"{type(error).__name__}: {error}", key)
    if isinstance(error, UserError):
        return Fail(f"The model cannot be asked like this: {words}", code="INVALID_REQUEST")
    return Retry(f"The answer of {provider} cannot be read: {words}", code="INVALID_RESPONSE")


def _signal_in(error: BaseException) -> Retry | Fail | None:
    """What our own HTTP client raised, under what the libraries made of it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Retry | Fail):
            return cause
        cause = cause.__cause__
    return None


def _refusal(error: ModelHTTPError, provider: str, words: str, *, asked_by_schema: bool) -> Retry | Fail:
    status = error.status_code
    said = f"{provider} answered {status}" + (f": {words.rstrip('.')}." if words else ".")
    code = f"HTTP_{status}"
    if isinstance(error, ModelQuotaExceededError):
        return Fail(said, code="QUOTA_EXHAUSTED")
    if status in _WORTH_ANOTHER_TRY:
        return Retry(said, code=code, after=retry_after((error.headers or {}).get("retry-after", ""), LONGEST_PAUSE))
    if asked_by_schema and status in _NOT_TAKEN and any(word in words.lower() for word in _OF_SCHEMAS):
        return SchemaRefused(said, code=code)
    if status in _KEY_REFUSED:
        return Fail(f"{said} An admin can change the key of the provider.", code="PROVIDER_REFUSED_KEY")
    if status == _NOT_FOUND:
        return Fail(f"{said} Is the model spelled as the provider spells it?", code="MODEL_NOT_FOUND")
    return Fail(said, code=code)


def _words(body: object, key: str | None) -> str:
    """The message in the body of an error, in the shapes that providers give it."""
    found = body
    for name in ("error", "message"):
        if isinstance(found, dict):
            found = cast("dict[str, object]", found).get(name, cast("object", found))
    return _clean("" if found is None else str(found), key)


def _clean(words: str, key: str | None) -> str:
    if key:
        words = words.replace(key, "***")
    return storable(" ".join(words.split())[:_LONGEST_REASON])
