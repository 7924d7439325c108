"""What steps that ask a model have in common."""

from collections.abc import Sequence

from weft.domain.errors import ErrorCode, Problem
from weft.domain.outside import Outside
from weft.integrations.models.loading import MISSING, are_installed
from weft.kit.suggest import did_you_mean


async def provider_problems(provider: str, outside: Outside) -> Sequence[Problem]:
    """Whether the workspace has the provider that a step's config names."""
    if not are_installed():
        return [Problem(ErrorCode.INVALID_CONFIG, MISSING, ("provider",))]
    names = await outside.models.providers()
    if provider in names:
        return ()
    if not names:
        message = "No model provider is configured in this workspace."
        hint = "An admin makes one with createModelProvider."
    else:
        message = f"There is no model provider {provider!r} in this workspace."
        meant = did_you_mean(provider, names)
        hint = f'did you mean "{meant}"?' if meant else f"There is: {', '.join(names[:10])}"
    return [Problem(ErrorCode.UNKNOWN_REFERENCE, message, ("provider",), hint=hint)]
