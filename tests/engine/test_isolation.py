"""Heavy steps in processes of their own: what arrives there, and what comes back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from engine.heavy_steps import Context, planned
from engine.isolated import call, children, failure, isolating, pids_in, wait_until_gone

from weft.domain.run import LogLevel
from weft.domain.step import Fail, Output, PublishEntity, Retry, Skip
from weft.engine.sandbox.isolation import Isolation
from weft.engine.sandbox.protocol import MOST_LOG_LINES


@pytest.fixture(scope="module")
async def isolation() -> AsyncIterator[Isolation]:
    async with isolating() as isolation:
        yield isolation


async def test_a_step_answers_from_another_process_which_serves_the_next_call_too(isolation: Isolation) -> None:
    first = await call(isolation, "reverse", text="abc")
    second = await call(isolation, "reverse", text="xyz")
    assert (first["reversed"], second["reversed"]) == ("cba", "zyx")
    assert first["pid"] == second["pid"] == isolation.idle_pids[0]


async def test_a_step_has_its_config_and_the_values_in_scope_and_is_prepared_once(isolation: Isolation) -> None:
    hello, bye = planned("greet"), planned("greet", firstWord="Bye")
    ctx = Context({"input": {"text": "you"}, "steps": {"before": {"count": 4}}}, attempt=3)
    first, other, again = [await call(isolation, step, ctx) for step in (hello, bye, planned("greet"))]
    assert (first["greeting"], other["greeting"]) == ("Hello you", "Bye you")
    assert (first["length"], first["attempt"], first["key"]) == (7, 3, "run:0:step")
    assert first["prepared"] == again["prepared"] != other["prepared"]


async def test_a_step_gets_the_input_of_the_call_where_it_is_another_than_in_scope(isolation: Isolation) -> None:
    ctx = Context({"input": {"text": "scope"}})
    answer = await isolation.run(planned("reverse"), ctx, {"text": "call"})
    assert answer.value["reversed"] == "llac"


async def test_every_kind_of_answer_comes_back_as_it_was_given(isolation: Isolation) -> None:
    with pytest.raises(Skip, match="nothing to do"):
        await call(isolation, "signals", text="skip")
    with pytest.raises(Retry, match="busy") as retry:
        await call(isolation, "signals", text="retry")
    assert (retry.value.code, retry.value.after) == ("BUSY", timedelta(seconds=1.5))
    fail = await failure(isolation, "signals", text="fail")
    assert (fail.code, fail.reason, fail.details) == ("WRONG", "wrong", {"line": 3})
    answer = await isolation.run(planned("signals"), Context({"input": {"text": ""}}), {"text": ""})
    assert answer == Output({"kind": "A"}, ("large",), (PublishEntity({"total": 1}, publish=False),))


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("error", "STEP_ERROR", "ValueError: no such page"),
        ("http", "OUTSIDE_NOT_AVAILABLE", "reaches nothing outside"),
        ("set", "STEP_OUTPUT_NOT_JSON", "not JSON"),
    ],
)
async def test_what_a_step_cannot_do_there_is_a_clear_failure(
    isolation: Isolation, text: str, code: str, reason: str
) -> None:
    fail = await failure(isolation, "signals", text=text)
    assert fail.code == code
    assert reason in fail.reason


async def test_input_that_is_not_json_is_refused_before_it_is_sent(isolation: Isolation) -> None:
    assert (await failure(isolation, "reverse", text=object())).code == "STEP_INPUT_NOT_JSON"


async def test_log_lines_arrive_in_order_and_at_most_a_thousand_of_them(isolation: Isolation) -> None:
    ctx = Context({"input": {"lines": 2, "crash": False}})
    await call(isolation, "logs", ctx)
    assert ctx.lines == [(LogLevel.WARNING, "line 0", {"number": 0}), (LogLevel.WARNING, "line 1", {"number": 1})]
    ctx = Context({"input": {"lines": 5_000, "crash": False}})
    await call(isolation, "logs", ctx)
    assert [fields["number"] for _, _, fields in ctx.lines] == list(range(MOST_LOG_LINES))


async def test_log_lines_of_a_step_that_then_crashes_are_kept(isolation: Isolation) -> None:
    ctx = Context({"input": {"lines": 1, "crash": True}})
    with pytest.raises(Fail, match="SIGABRT"):
        await call(isolation, "logs", ctx)
    assert [message for _, message, _ in ctx.lines] == ["line 0"]


async def test_large_inputs_and_outputs_pass(isolation: Isolation) -> None:
    text = "ä" * 7_000_000
    assert (await call(isolation, "reverse", text=text))["reversed"] == text
    assert len(await call(isolation, "answers", bytes=16_000_000)) == 16_000_000


async def test_a_cancelled_call_ends_its_process_and_never_answers_the_next(tmp_path: Path) -> None:
    async with isolating() as isolation:
        task = asyncio.create_task(call(isolation, "starts", path=str(tmp_path / "pids"), seconds=1000))
        pids = await asyncio.to_thread(pids_in, tmp_path / "pids")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(wait_until_gone, *pids)
        assert (await call(isolation, "reverse", text="next"))["reversed"] == "txen"


async def test_calls_beyond_the_processes_wait_for_their_turn_in_order(isolation: Isolation) -> None:
    order: list[int] = []

    async def numbered(number: int) -> None:
        await call(isolation, "reverse", text=str(number))
        order.append(number)

    await asyncio.gather(*(numbered(number) for number in range(20)))
    assert order == list(range(20))


async def test_no_more_processes_are_started_than_allowed() -> None:
    async with isolating(processes=2) as isolation:
        answers = await asyncio.gather(*(call(isolation, "reverse", text="abc") for _ in range(20)))
        assert {answer["pid"] for answer in answers} == set(isolation.idle_pids)
        assert len(isolation.idle_pids) == 2


async def test_closing_cancels_what_runs_and_what_waits_and_leaves_no_process(tmp_path: Path) -> None:
    before = set(children())
    async with isolating() as isolation:
        path = tmp_path / "pids"
        running = asyncio.create_task(call(isolation, "starts", path=str(path), seconds=1000))
        pids = await asyncio.to_thread(pids_in, path)
        waiting = asyncio.create_task(call(isolation, "reverse", text="abc"))
        await asyncio.sleep(0)
        await isolation.close()
        results = await asyncio.gather(running, waiting, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError]
        assert await asyncio.to_thread(wait_until_gone, *pids)
        assert set(children()) <= before
        with pytest.raises(asyncio.CancelledError):
            await call(isolation, "reverse", text="abc")
