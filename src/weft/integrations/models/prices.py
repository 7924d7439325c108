"""What an answer took, and what that costs by the price lists that come with genai-prices. Nothing is fetched."""

from contextlib import suppress
from decimal import Decimal

from genai_prices import calc_price
from pydantic_ai.messages import ModelResponse
from pydantic_ai.usage import RequestUsage

from weft.domain.providers import ModelProvider, ProviderKind
from weft.domain.usage import NANOS, Usage

_MAKERS = {ProviderKind.OPENAI_COMPATIBLE: "openai", ProviderKind.ANTHROPIC: "anthropic"}
_MOST = 1_000_000_000_000
"""Tokens, and billionths of a dollar, of one answer: more than any model takes."""


def usage_of(response: ModelResponse, asked: str, provider: ModelProvider) -> tuple[Usage, bool]:
    """The usage, and whether the price of the model is known."""
    used = response.usage
    cost = _cost(used, response.model_name, provider)
    if cost is None and response.model_name != asked:
        cost = _cost(used, asked, provider)
    usage = Usage(
        calls=1,
        input_tokens=_sane(used.input_tokens),
        output_tokens=_sane(used.output_tokens),
        cached_tokens=_sane(used.cache_read_tokens),
        cost_nanos=0 if cost is None else _sane(round(cost * NANOS)),
    )
    return usage, cost is not None


def _sane(number: int) -> int:
    """The numbers come from a stranger's server, and are summed over millions of items."""
    return min(max(number, 0), _MOST)


def _cost(used: RequestUsage, model: str | None, provider: ModelProvider) -> Decimal | None:
    """By the address of the provider; where that is not known, a gateway say, as if it was the maker of the API: a model that
    it does not sell has no price then, which is right for a server of one's own.
    """
    if not model:
        return None
    with suppress(LookupError, ValueError):
        return calc_price(used, model, provider_api_url=provider.base_url).total_price
    with suppress(LookupError, ValueError):
        return calc_price(used, model, provider_id=_MAKERS[provider.kind]).total_price
    return None
