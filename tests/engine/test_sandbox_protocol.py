"""What a heavy step answers comes out of its process as it went in."""

from datetime import timedelta
from typing import Any

import pytest

from weft.domain.ids import new_id
from weft.domain.step import Fail, Outcome, Output, PublishEntity, Retry, SendMessage, Skip
from weft.domain.usage import NO_USAGE, Usage
from weft.engine.sandbox.protocol import decode_outcome, encode_outcome
from weft.kit.json import dump_bytes, loads

PAID = Usage(1, 200, 30, 4, 5_000_000)


def crossed(outcome: Outcome) -> Outcome:
    return decode_outcome(loads(dump_bytes(encode_outcome(outcome))))


@pytest.mark.parametrize("usage", [NO_USAGE, PAID])
def test_an_output_crosses_with_its_effects_and_its_usage(usage: Usage) -> None:
    effects = (
        PublishEntity({"title": "a"}, publish=False),
        SendMessage(new_id(), "the accountants", {"text": "hello"}),
        PublishEntity({}),
    )
    output = Output({"pages": [1]}, ("large",), effects, usage)
    assert crossed(output) == output


@pytest.mark.parametrize("after", [None, timedelta(seconds=1.5)])
def test_what_a_failed_attempt_cost_crosses(after: timedelta | None) -> None:
    retry, fail = crossed(Retry("busy", code="BUSY", after=after, usage=PAID)), crossed(Fail("no", usage=PAID))
    assert isinstance(retry, Retry)
    assert isinstance(fail, Fail)
    assert (retry.reason, retry.code, retry.after, retry.usage) == ("busy", "BUSY", after, PAID)
    assert (fail.reason, fail.code, fail.details, fail.usage) == ("no", "STEP_FAILED", None, PAID)


@pytest.mark.parametrize("reason", ["", "not today"])
def test_a_skip_crosses_with_its_reason(reason: Any) -> None:
    skip = crossed(Skip(reason))
    assert isinstance(skip, Skip)
    assert skip.reason == reason
