"""What calls of models took: tokens and money, summed exactly."""

from dataclasses import dataclass
from decimal import Decimal

NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one attempt, or the sum over a step, an item, a run, a workflow."""

    calls: int = 0
    """Requests to a model that were answered."""
    input_tokens: int = 0
    """All that was read, the cached ones included."""
    output_tokens: int = 0
    cached_tokens: int = 0
    """Of the input tokens, those that the provider had in its cache."""
    cost_nanos: int = 0
    """In billionths of a US dollar, so that sums stay exact; 0 where the price of the model is not known."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cost_nanos + other.cost_nanos,
        )

    def __bool__(self) -> bool:
        return self is not NO_USAGE and self != NO_USAGE

    @property
    def figures(self) -> tuple[int, ...]:
        """In the order of the fields: how it is stored."""
        return (self.calls, self.input_tokens, self.output_tokens, self.cached_tokens, self.cost_nanos)

    @property
    def cost(self) -> Decimal:
        """In US dollars."""
        return Decimal(self.cost_nanos) / NANOS


NO_USAGE = Usage()
FIGURES = len(NO_USAGE.figures)
