"""Model providers: services that run models, as a workspace has configured them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from weft.domain.ids import UUID


class ProviderKind(StrEnum):
    """The API that a model provider speaks.

    OPENAI_COMPATIBLE: Chat completions as OpenAI made them: OpenAI, and most servers that one runs oneself.
    ANTHROPIC: The messages of Anthropic.
    """

    OPENAI_COMPATIBLE = "OPENAI_COMPATIBLE"
    ANTHROPIC = "ANTHROPIC"

    @property
    def usual_url(self) -> str:
        """Of the company that made the API."""
        return "https://api.anthropic.com" if self is ProviderKind.ANTHROPIC else "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ProviderLimits:
    """What a provider is asked for at most, by all workers together; None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    """Calls under way at once."""

    @property
    def any(self) -> bool:
        return not (self.requests_per_minute is None and self.tokens_per_minute is None and self.concurrency is None)


@dataclass(frozen=True, slots=True)
class ModelProvider:
    """Its key is no part of it: that is read only where it is used."""

    id: UUID
    workspace_id: UUID
    name: str
    kind: ProviderKind
    base_url: str
    has_key: bool
    limits: ProviderLimits
    revision: int
    """Rises with every change: clients of older revisions are given up."""
    created_at: datetime
    updated_at: datetime
