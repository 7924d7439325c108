"""What a genuine call brings along, as its trigger sees it. What cannot be read or stored is told to the sender, who proved who it is."""

from typing import Any
from urllib.parse import parse_qsl

from weft.domain.errors import Invalid
from weft.kit.json import loads
from weft.kit.schema_limits import deeper_than
from weft.kit.storable import is_storable_text, why_nul
from weft.triggers.webhooks.scheme import Headers

DEEPEST_BODY = 100
MOST_FIELDS = 1_000
"""Of a form. A query has far fewer."""
MOST_QUERY_FIELDS = 100
LONGEST_QUERY = 8_000
LONGEST_HEADER = 1_000
PASSED_ON = frozenset({"content-type", "user-agent"})
"""Headers of every scheme that triggers see. What proves or identifies somebody is never among them."""

_FORM = "application/x-www-form-urlencoded"


def media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_form(headers: Headers) -> bool:
    return media_type(headers) == _FORM


def body_of(headers: Headers, body: bytes) -> Any:
    """JSON as its value, a form as its fields, other text as it is, and no body as None.

    A form whose only field is `payload` carries JSON in it, as those of Slack and GitHub do. Raises Invalid.
    """
    if not body:
        return None
    kind = media_type(headers)
    if kind == _FORM:
        return _form(body)
    if kind.startswith("text/"):
        return _text(body)
    said = kind == "application/json" or kind.endswith("+json")
    try:
        value = loads(body)
    except ValueError as error:
        if said:
            raise Invalid(f"The body is no JSON: {error}.", path=("body",)) from error
        return _text(body)
    return _checked(body, value)


def _checked(written: bytes, value: Any) -> Any:
    # Without so many brackets it cannot be deep, and most bodies are let through by that.
    if written.count(b"[") + written.count(b"{") > DEEPEST_BODY and deeper_than(value, DEEPEST_BODY):
        raise Invalid(f"The body is nested more than {DEEPEST_BODY} levels deep.", path=("body",))
    if (why := why_nul(written, value)) is not None:
        raise Invalid(f"The body cannot be stored: {why}.", path=("body",))
    return value


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The body is neither JSON nor text in UTF-8.", path=("body",)) from error
    return _storable(text, "body")


def _form(body: bytes) -> Any:
    fields = _fields(_text(body), "body", MOST_FIELDS)
    if fields.keys() == {"payload"} and isinstance(payload := fields["payload"], str):
        try:
            return _checked(payload.encode(), loads(payload))
        except ValueError:
            return fields
    return fields


def query_of(query: bytes) -> dict[str, str | list[str]]:
    """By name; one that is given more than once is a list. Raises Invalid."""
    if not query:
        return {}
    if len(query) > LONGEST_QUERY:
        raise Invalid(f"The query is longer than {LONGEST_QUERY:,} bytes.", path=("query",))
    return _fields(query.decode("latin-1"), "query", MOST_QUERY_FIELDS)


def _fields(text: str, where: str, most: int) -> dict[str, str | list[str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise Invalid(f"The {where} is no list of at most {most:,} fields in UTF-8.", path=(where,)) from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(_storable(name, where), []).append(_storable(value, where))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def headers_of(headers: Headers, passed_on: frozenset[str]) -> dict[str, str]:
    """Those that triggers see, by their names in lower case. Raises Invalid."""
    seen = {name: headers[name] for name in sorted(PASSED_ON | passed_on) if name in headers}
    for name, value in seen.items():
        if len(value) > LONGEST_HEADER:
            raise Invalid(f"The header {name} is longer than {LONGEST_HEADER:,} characters.", path=("headers", name))
        _storable(value, "headers", name)
    return seen


def _storable(text: str, *path: str) -> str:
    if not is_storable_text(text):
        raise Invalid(f"The {path[0]} cannot be stored: a text in it holds a character that is none.", path=path)
    return text
