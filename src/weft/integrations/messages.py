"""A message, as far as all receivers have it in common: its text, and what must not be told of an exchange."""

from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from weft.domain.delivery import AttemptOutcome, Delivery, arrived, postponed, refused
from weft.domain.outside import HttpReply
from weft.domain.step import Fail, Retry
from weft.integrations.http_answers import text_of, wait_of
from weft.kit.json import dumps
from weft.kit.storable import storable

EXCERPT_CHARACTERS = 500
SHORTEST_SECRET = 4
"""Anything shorter is hidden nowhere: it would blacken whole texts, and is guessed at once."""
SHORTEST_TOKEN = 8
"""The same for a part of a path, which may be a word."""
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, *range(500, 600)})


def text_of_message(delivery: Delivery) -> str:
    """The text, or the values that go with the message, line by line."""
    message = delivery.message
    if "text" in message:
        return str(message["text"])
    data = cast("dict[str, Any]", message.get("data") or {})
    return "\n".join(f"{name}: {value if isinstance(value, str) else dumps(value)}" for name, value in data.items())


def subject_of_message(delivery: Delivery) -> str | None:
    return delivery.message.get("subject")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Without the secrets that were sent: receivers quote what they got."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "•••")
    return text


def secrets_in_query(query: str) -> list[str]:
    """All of it and each value in it, as written and as read: receivers quote them apart."""
    written = [part.partition("=")[2] for part in query.split("&")]
    return [query, *written, *(value for _, value in parse_qsl(query))]


def secrets_in_path(path: str) -> list[str]:
    """All of it and each part that may be a token, as written and as read."""
    parts = [part for part in path.split("/") if len(part) >= SHORTEST_TOKEN]
    return [*{spelled for one in (path, *parts) for spelled in (one, unquote(one))}]


def secrets_in_header(value: str) -> list[str]:
    """It, and what follows the name of a scheme such as `Bearer`: receivers quote the token alone."""
    return [value, *value.split()[1:]]


def excerpt_of(reply: HttpReply, secrets: Iterable[str]) -> str:
    # Masked before it is cut: half a secret is not recognised.
    return storable(masked(text_of(reply), secrets)[:EXCERPT_CHARACTERS])


def outcome_of_reply(reply: HttpReply, secrets: Iterable[str], *, retried: bool) -> AttemptOutcome:
    """By the status; `retried` where a refusal of any kind is worth another attempt."""
    excerpt = excerpt_of(reply, secrets)
    if 200 <= reply.status < 300:  # noqa: PLR2004 - the class of success
        return arrived(reply.status, excerpt)
    code, said = f"HTTP_{reply.status}", f"The receiver answered {reply.status}."
    if retried or reply.status in _WORTH_ANOTHER_TRY:
        return postponed(code, said, status_code=reply.status, excerpt=excerpt, after=wait_of(reply))
    return refused(code, said, status_code=reply.status, excerpt=excerpt)


def outcome_of_error(error: Retry | Fail, secrets: Iterable[str]) -> AttemptOutcome:
    """What the HTTP client raised. A certificate may be renewed soon, so it is worth another attempt."""
    reason = storable(masked(error.reason, secrets))
    if isinstance(error, Retry):
        return postponed(error.code, reason, after=error.after)
    return postponed(error.code, reason) if error.code == "TLS_FAILED" else refused(error.code, reason)
