"""The step that calls an HTTP service."""

from collections.abc import Mapping
from typing import Any

from yarl import URL

from weft.domain.definition import RetryPolicy
from weft.domain.entity import JsonSchema
from weft.domain.outside import HttpReply
from weft.domain.step import Fail, Retry, StepCategory, StepContext, StepScope, StepType
from weft.integrations.http_answers import text_of, wait_of
from weft.kit import json
from weft.kit.liquid import LiquidTemplate
from weft.kit.schema_limits import deeper_than
from weft.steps._evaluation import evaluated, rendered
from weft.steps._http_config import WRITING, HttpConfig

_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, *range(500, 600)}) - {501, 505}
"""501 and 505 say that the server cannot do this at all."""
DEEPEST_ANSWER = 200
"""What is read may be nested deeper than what can be written again: 254 levels are the end there."""
_EXCERPT_CHARACTERS = 500
_JSON_TYPE = "application/json"
_TEXT_TYPE = "text/plain; charset=utf-8"


class Http(StepType[HttpConfig]):
    kind = "http"
    title = "HTTP request"
    description = "Calls an HTTP service for each item and gives its answer; temporary failures are tried again."
    category = StepCategory.OUTPUT
    Config = HttpConfig
    default_retry = RetryPolicy(max_attempts=3)

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._url = scope.template(config.url, "url")
        self._query = {name: scope.template(text, "query", name) for name, text in config.query.items()}
        self._headers = {name: scope.template(text, "headers", name) for name, text in config.headers.items()}
        body = config.body
        self._json_body = scope.mapping(body, "body") if isinstance(body, dict) else None
        self._text_body = scope.template(body, "body") if isinstance(body, str) else None
        self._content_type = _given(config.headers, "content-type")
        self._expected = _statuses(config.expected_statuses)

    @property
    def output_schema(self) -> JsonSchema | None:
        return {
            "type": "object",
            "properties": {
                "status": {"type": "integer"},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "body": {"type": "string"} if self.config.response_type == "text" else {},
            },
            "required": ["status", "headers", "body"],
        }

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        config = self.config
        reply = await ctx.http.send(
            config.method,
            self._address(ctx),
            headers=self._head(ctx),
            body=self._body(ctx),
            timeout=config.timeout,
            max_bytes=config.max_bytes,
            follow_redirects=config.follow_redirects,
        )
        if reply.status not in self._expected:
            raise _refusal(reply)
        return {"status": reply.status, "headers": dict(reply.headers), "body": self._content(reply)}

    def _address(self, ctx: StepContext) -> str:
        url = rendered(self._url, ctx).strip()
        if not self._query:
            return url
        try:
            return str(URL(url).update_query(_all(self._query, ctx)))
        except ValueError as error:
            raise Fail(f"{url[:200]!r} is not a URL: {error}.", code="INVALID_REQUEST") from error

    def _head(self, ctx: StepContext) -> dict[str, str]:
        headers = _all(self._headers, ctx)
        if self.config.body is not None and self._content_type is None:
            headers["Content-Type"] = _JSON_TYPE if self._json_body is not None else _TEXT_TYPE
        name = self.config.idempotency_header
        if name is not None and self.config.method in WRITING and _given(headers, name.lower()) is None:
            headers[name] = ctx.idempotency_key
        return headers

    def _body(self, ctx: StepContext) -> bytes | None:
        if self._json_body is not None:
            return json.dump_bytes(evaluated(self._json_body, ctx))
        return None if self._text_body is None else rendered(self._text_body, ctx).encode()

    def _content(self, reply: HttpReply) -> Any:
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        wanted = self.config.response_type
        if wanted == "text" or (wanted == "auto" and not (kind == _JSON_TYPE or kind.endswith("+json"))):
            return text_of(reply)
        if not reply.body:
            return None
        details = {"status": reply.status, "body": text_of(reply)[:_EXCERPT_CHARACTERS]}
        try:
            content = json.loads(reply.body)
        except ValueError as error:
            raise Fail(f"The answer is not valid JSON: {error}.", code="INVALID_RESPONSE", details=details) from error
        if deeper_than(content, DEEPEST_ANSWER):
            reason = f"The answer is nested more than {DEEPEST_ANSWER} levels deep."
            raise Fail(reason, code="INVALID_RESPONSE", details=details)
        return content


def _all(templates: Mapping[str, LiquidTemplate], ctx: StepContext) -> dict[str, str]:
    return {name: rendered(template, ctx) for name, template in templates.items()}


def _given(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for header, value in headers.items() if header.lower() == name), None)


def _statuses(expected: tuple[int | str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for status in expected:
        found.update((status,) if isinstance(status, int) else range(int(status[0]) * 100, int(status[0]) * 100 + 100))
    return frozenset(found)


def _refusal(reply: HttpReply) -> Retry | Fail:
    excerpt = text_of(reply)[:_EXCERPT_CHARACTERS]
    reason = f"The service answered {reply.status}" + (f": {excerpt}" if excerpt.strip() else ".")
    code = f"HTTP_{reply.status}"
    if reply.status in _WORTH_ANOTHER_TRY:
        return Retry(reason, code=code, after=wait_of(reply))
    return Fail(reason, code=code, details={"status": reply.status, "headers": dict(reply.headers), "body": excerpt})
