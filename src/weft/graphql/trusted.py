"""Trusted documents: the operations that clients may send, as their builds wrote them down.

They are read once, at the start, from one file or from all files of a folder and the folders in it:

| file | what it is |
|---|---|
| `*.json`, id → text | what Relay's compiler and graphql-codegen write |
| `*.json` with `"format": "apollo-persisted-query-manifest"` | what Apollo's tools write |
| `*.graphql`, `*.gql` | one document, known by the file's name without its ending |

A document is known by its id there, and by the SHA-256 of its text, with `sha256:` before it or without. A client names it by
`documentId` ("GraphQL over HTTP", persisted documents), by `id` (Relay) or by `extensions.persistedQuery.sha256Hash`
(Apollo), or sends the text itself.

Limits on the length of a text do not hold for these, all others do: variables come from strangers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from weft.domain.access import Role
from weft.domain.errors import StartupError
from weft.kit.json import loads

_DOCUMENTS = {".graphql", ".gql"}
_APOLLO = "apollo-persisted-query-manifest"


class Others(StrEnum):
    """What becomes of operations that are not among the trusted documents."""

    REFUSE = "refuse"
    ADMIN = "admin"
    """Keys with the role ADMIN may send them."""
    ALLOW = "allow"

    def explorable(self, documents: Path | None) -> bool:
        """Whether anybody may send what they write: where trusted documents stand alone, an explorer is of no use."""
        return documents is None or self is not Others.REFUSE


@dataclass(slots=True)
class TrustedDocuments:
    others: Others = Others.REFUSE
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """By each name that a document has."""
    sources: dict[str, Path] = field(default_factory=dict[str, Path])
    """By text: the file that it was found in first."""

    def add(self, name: str, text: str, source: Path) -> None:
        for known_as in (name, *_digests(text)):
            if self.texts.setdefault(known_as, text) != text:
                other = self.sources[self.texts[known_as]]
                raise StartupError(f"Two trusted documents are called {known_as[:80]!r}: in {other} and in {source}.")
        self.sources.setdefault(text, source)

    def find(self, name: str) -> str | None:
        return self.texts.get(name)

    def contains(self, text: str) -> bool:
        return text in self.sources

    def permits(self, text: str, role: Role | None) -> bool:
        """Whether a caller with this role may send this text. None: nobody knows who calls."""
        return (
            text in self.sources or self.others is Others.ALLOW or (self.others is Others.ADMIN and role is Role.ADMIN)
        )


def load(path: Path, others: Others) -> TrustedDocuments:
    """Raises StartupError where something about them is wrong, and where there are none."""
    trusted = TrustedDocuments(others)
    if not path.exists():
        raise StartupError(f"WEFT_TRUSTED_DOCUMENTS names {path}, which does not exist.")
    try:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            for name, text in _documents_of(file):
                trusted.add(name, text, file)
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"WEFT_TRUSTED_DOCUMENTS cannot be read: {error}") from error
    if not trusted.sources:
        raise StartupError(
            f"WEFT_TRUSTED_DOCUMENTS names {path}, and there are no documents: no *.graphql, no *.json that maps ids to texts."
        )
    return trusted


def _documents_of(file: Path) -> Iterator[tuple[str, str]]:
    if file.suffix in _DOCUMENTS:
        text = file.read_text(encoding="utf-8")
        yield file.stem, text
        # Tools hash what they print; editors put a line end behind it.
        yield file.stem if text == text.strip() else sha256(text.strip().encode()).hexdigest(), text
    elif file.suffix == ".json":
        yield from _manifest(file)


def _manifest(file: Path) -> Iterator[tuple[str, str]]:
    try:
        content = loads(file.read_bytes())
    except json.JSONDecodeError as error:
        raise StartupError(f"The trusted documents in {file} are no JSON: {error}") from error
    pairs = _apollo_pairs(content) if _is_apollo(content) else content
    if not isinstance(pairs, Mapping):
        raise StartupError(f"The trusted documents in {file} have to be a JSON object of ids and texts.")
    for name, text in cast("Mapping[str, Any]", pairs).items():
        if not isinstance(text, str):
            raise StartupError(f"The trusted document {name[:80]!r} in {file} has to be text.")
        yield name, text


def _is_apollo(content: object) -> bool:
    return isinstance(content, dict) and cast("dict[str, Any]", content).get("format") == _APOLLO


def _apollo_pairs(content: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return {operation["id"]: operation["body"] for operation in content["operations"]}
    except (KeyError, TypeError):
        return None


def _digests(text: str) -> tuple[str, str]:
    digest = sha256(text.encode()).hexdigest()
    return digest, f"sha256:{digest}"
