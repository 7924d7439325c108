"""How long Hypothesis looks: a few seconds in every check, minutes when `WEFT_THOROUGH=1` is set.

The everyday check has fixed seeds: the same code meets the same histories, so a red check is the fault of the change that
it checks, and running it again shows the same. To find new histories is what the thorough profile is for: its seeds are
new each time. A failure prints the shortest script of rules that Hypothesis found, and the seed.
"""

import os
import random
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from statemachine.rules import RunsMachine

from weft.domain.progress import RunStatus

THOROUGH = os.environ.get("WEFT_THOROUGH") == "1"
MINUTES = 60 if THOROUGH else 4
HISTORIES = 9
"""Per seed. From the tenth on, Hypothesis mostly mutates what it had, and many histories are nearly the same."""
MORE = 40
"""How many times as many histories the thorough profile tries."""
SHRINKING_SECONDS = 300 if THOROUGH else 30
"""For a shorter script of a failure; Hypothesis, which has no setting for it, would take five minutes of every check."""

SITUATIONS = frozenset(
    {
        *(f"{status} run" for status in RunStatus),
        "claim of items with checkpoints",
        "refused write",
        "retry behind recorded steps",
        "write behind a takeover",
        "write behind the end of a run",
    }
)
"""What histories have to meet together; those that never get there prove nothing."""


def explore(new_machine: Callable[[], RunsMachine], *, rounds: int, rules: int) -> None:
    """Try `HISTORIES` of so many `rules` in each of the rounds."""
    chance = random.Random()
    for number in range(rounds * MORE if THOROUGH else rounds):
        chosen = chance.getrandbits(32) if THOROUGH else number
        # It takes a function as well, whatever its annotation says.
        factory = cast("type[RuleBasedStateMachine]", seed(chosen)(new_machine))
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(engine, "MAX_SHRINKING_SECONDS", SHRINKING_SECONDS)
                run_state_machine_as_test(factory, settings=_settings(rules))
        except BaseException as error:
            error.add_note(f"The seed of this round is {chosen}.")
            raise


def _settings(rules: int) -> settings:
    return settings(
        max_examples=HISTORIES,
        stateful_step_count=rules,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
