"""What the fuzzer knows of the server: ids and texts that stood in its answers, and what a first user would type."""

import random
from base64 import urlsafe_b64decode
from collections import defaultdict
from typing import Any, cast

MOST_OF_EACH = 200

DEFINITION: dict[str, Any] = {"steps": [{"id": "say", "type": "echo"}]}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}, "amount": {"type": "number"}}}

KNOWN: dict[str, tuple[Any, ...]] = {
    "definition": (
        DEFINITION,
        {"steps": [{"id": "a", "type": "text", "config": {"operation": "REVERSE"}}]},
        {"steps": [{"id": "a", "type": "transform", "config": {"data": {"x": "input.amount * 2.0"}}}]},
        {"steps": [{"id": "a", "type": "condition", "config": {"branches": {"big": "input.amount > 1.0"}}}]},
        {"nodes": [{"id": "a", "type": "echo"}], "connections": []},
        {"steps": [{"id": "a", "type": "echo", "dependsOn": ["a"]}]},
        {"steps": []},
    ),
    "schema": (SCHEMA, {"type": "object"}, {"$ref": "http://receiver.invalid/s.json"}, {"type": "strange"}, True),
    "url": ("http://receiver.invalid/x", "http://127.0.0.1:9/", "https://[::1]/", "ftp://x", "http://169.254.169.254/"),
    "webhookUrl": ("http://receiver.invalid/run", "http://10.0.0.1/", "nonsense"),
    "cronExpression": ("* * * * *", "0 3 * * 1-5", "61 * * * *", "@daily", "0 0 30 2 *"),
    "timezone": ("Europe/Berlin", "UTC", "Mars/Base", ""),
    "expression": ("true", "event.amount > 1", "1 +", "input.a.b.c", "size(" * 50 + ")" * 50),
    "name": ("Invoices", "a", "", "  ", "x" * 300, "Ünïcødé 🏃", "document.uploaded"),
    "type": ("http", "echo", "document.uploaded", "custom.event", "run.completed"),
    "search": ("a", "%", "_", "'", "\\", "' OR 1=1 --"),
    "after": ("", "x", "bm90aGluZw==", "MDAw"),
    "data": ({"name": "Ada", "amount": 3.5}, {"name": 5}, {}, [], None),
    "idempotencyKey": ("same", "other", "x" * 500),
    "wait": ("PT0.1S", "PT1S", "PT0S", "P1Y", "-PT1S", "soon"),
    "mimeType": ("application/pdf", "text/plain", "no/such"),
    "filter": ({"amount": {"gt": 1}}, {"name": {"equals": "Ada"}}, {"a": {"b": "c"}}),
}
TEXTS = (
    "", " ", "a", "Ada", "0", "null", "x" * 5_000, "\u0000", "a\u0000b", "\ud800", "\u202e", "é", "🏃🏊", "' OR 1=1 --",
    "{{ name }}", "{% for x in (1..1000000) %}{% endfor %}", "${7*7}", "../../etc/passwd", "<script>", "\r\nX: y", "%s%n",
    "(a+)+$", "\uffff", "1e999", "NaN", "true",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 5, -1, 20, 100, 101, 2**31 - 1, -(2**31), 2**31, 2**53, 2**63, 10**30)


class Pool:
    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = defaultdict(list)
        self._texts: dict[str, list[str]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(ids) for ids in self._ids.values())

    def learn(self, answer: object) -> None:
        """Keeps what may be asked with later: ids by their type, texts by the name of their field."""
        match answer:
            case dict():
                for name, value in cast("dict[str, Any]", answer).items():
                    if isinstance(value, str):
                        self._keep(name, value)
                    else:
                        self.learn(value)
            case list():
                for value in cast("list[Any]", answer)[:20]:
                    self.learn(value)
            case _:
                pass

    def _keep(self, name: str, value: str) -> None:
        kind = _kind_of(value)
        kept = self._ids[kind] if kind else self._texts[name]
        if len(value) < 500 and value not in kept:
            if len(kept) >= MOST_OF_EACH:
                kept.pop(0)
            kept.append(value)

    def id(self, chance: random.Random, name: str) -> str:
        """One whose type fits the name of the argument (`workflowId`), or any, or none."""
        wanted = [kind for kind in sorted(self._ids) if name.lower().removesuffix("id").endswith(kind.lower())]
        if wanted and chance.random() < 0.85:
            return chance.choice(self._ids[chance.choice(wanted)])
        if self._ids and chance.random() < 0.8:
            return chance.choice(self._ids[chance.choice(sorted(self._ids))])
        return chance.choice(("", "x", "V29ya2Zsb3c6eA==", "UnVuOjAx", "🏃", "\u0000", "0", "A" * 3_000))

    def text(self, chance: random.Random, name: str) -> str:
        known = [value for value in KNOWN.get(name, ()) if isinstance(value, str)]
        if known and chance.random() < 0.7:
            return chance.choice(known)
        if self._texts.get(name) and chance.random() < 0.7:
            return chance.choice(self._texts[name])
        return chance.choice(TEXTS)

    def json(self, chance: random.Random, name: str) -> Any:
        if name in KNOWN and chance.random() < 0.7:
            return chance.choice(KNOWN[name])
        return self._any_json(chance, chance.randrange(4))

    def _any_json(self, chance: random.Random, depth: int) -> Any:
        match chance.randrange(7 if depth else 5):
            case 0:
                return None
            case 1:
                return chance.choice(NUMBERS[:10])
            case 2:
                return chance.choice((True, False, 0.5, -1e300))
            case 3 | 4:
                return chance.choice(TEXTS)
            case 5:
                return [self._any_json(chance, depth - 1) for _ in range(chance.randrange(4))]
            case _:
                names = ("steps", "id", "type", "config", "a", "", "$ref", "properties", "x" * 100)
                return {chance.choice(names): self._any_json(chance, depth - 1) for _ in range(chance.randrange(4))}


def _kind_of(value: str) -> str | None:
    """The type that an opaque id names."""
    try:
        decoded = urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except ValueError:
        return None
    kind, separator, _ = decoded.partition(":")
    return kind if separator and kind.isidentifier() else None
