"""What happens when a step fails, as it is written: `retry`, and `errorHandling` for all steps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from weft.domain.definition import Backoff, CachePolicy, ErrorHandling, OnFailure, RetryPolicy
from weft.domain.spelling.fields import Fields, Notes, Path, write_duration

_RETRY: Mapping[str, tuple[str, ...]] = {
    "maxAttempts": (),
    "backoff": (),
    "initialDelay": (),
    "maxDelay": (),
    "jitter": (),
}
_CACHE: Mapping[str, tuple[str, ...]] = {"maxAge": ()}
_ERROR_HANDLING: Mapping[str, tuple[str, ...]] = {"retry": (), "onFailure": ()}

_MOST_ATTEMPTS = 100
_LONGEST_DELAY = timedelta(days=1)
_LONGEST_CACHE = timedelta(days=366)


def read_retry(raw: Mapping[str, Any], path: Path, notes: Notes) -> RetryPolicy:
    fields = Fields(raw, path, notes, _RETRY)
    usual = RetryPolicy()
    jitter = fields.number("jitter", 0, 1)
    initial_delay = fields.duration("initialDelay", _LONGEST_DELAY) or usual.initial_delay
    max_delay = fields.duration("maxDelay", _LONGEST_DELAY) or max(usual.max_delay, initial_delay)
    if max_delay < initial_delay:
        fields.wrong("maxDelay", "maxDelay must not be shorter than initialDelay.")
    return RetryPolicy(
        max_attempts=fields.integer("maxAttempts", 1, _MOST_ATTEMPTS) or usual.max_attempts,
        backoff=fields.choice("backoff", Backoff) or usual.backoff,
        initial_delay=initial_delay,
        max_delay=max_delay,
        jitter=usual.jitter if jitter is None else jitter,
    )


def read_cache(fields: Fields, notes: Notes) -> CachePolicy | None:
    """The field `cache` of a step: true, false, or how long."""
    written = fields.raw("cache")
    if written is None or isinstance(written, bool):
        return CachePolicy() if written else None
    if not isinstance(written, Mapping):
        return fields.wrong("cache", "cache must be true, false, or an object.", 'Such as {"maxAge": "PT24H"}.')
    below = Fields(cast("Mapping[str, Any]", written), fields.path("cache"), notes, _CACHE)
    return CachePolicy(below.duration("maxAge", _LONGEST_CACHE) or CachePolicy().max_age)


def read_error_handling(raw: Mapping[str, Any], path: Path, notes: Notes) -> ErrorHandling:
    fields = Fields(raw, path, notes, _ERROR_HANDLING)
    retry = fields.object("retry")
    return ErrorHandling(
        retry=None if retry is None else read_retry(retry, fields.path("retry"), notes),
        on_failure=fields.choice("onFailure", OnFailure) or OnFailure.FAIL_ITEM,
    )


def write_retry(retry: RetryPolicy) -> dict[str, Any]:
    """Every field, so that a version means the same when a default changes later."""
    return {
        "maxAttempts": retry.max_attempts,
        "backoff": retry.backoff.value,
        "initialDelay": write_duration(retry.initial_delay),
        "maxDelay": write_duration(retry.max_delay),
        "jitter": retry.jitter,
    }


def write_cache(cache: CachePolicy) -> dict[str, Any]:
    return {"maxAge": write_duration(cache.max_age)}


def write_error_handling(handling: ErrorHandling) -> dict[str, Any]:
    retry = {} if handling.retry is None else {"retry": write_retry(handling.retry)}
    return {**retry, "onFailure": handling.on_failure.value}
