"""What counts as a step that ran again, and how a takeover is measured."""

from torture.judging import Call, Recorded, Standstill, judge
from torture.takeover import Held, Killing, takeovers

KEY = "run:0:pay"


def record(attempt: int, committed: float) -> Recorded:
    return Recorded("run", 0, "pay", attempt, committed)


def test_a_call_before_its_record_is_nothing_special() -> None:
    verdict = judge([Call(KEY, 1, 7, 10.0)], [record(1, 11.0)], [])
    assert (verdict.again, verdict.overtaken, verdict.repeated) == ([], [], [])


def test_a_call_after_its_record_ran_again() -> None:
    late = Call(KEY, 1, 8, 12.0)
    assert judge([Call(KEY, 1, 7, 10.0), late], [record(1, 11.0)], []).again == [late]


def test_the_first_record_counts_not_the_newest() -> None:
    late = Call(KEY, 1, 8, 12.0)
    assert judge([late], [record(1, 11.0), record(1, 20.0)], []).again == [late]


def test_a_second_call_before_the_record_is_the_small_window() -> None:
    second = Call(KEY, 1, 8, 10.5)
    verdict = judge([Call(KEY, 1, 7, 10.0), second], [record(1, 11.0)], [])
    assert verdict.again == []
    assert verdict.repeated == [second]


def test_the_next_attempt_may_begin_after_the_record_of_the_one_before() -> None:
    verdict = judge([Call(KEY, 1, 7, 10.0), Call(KEY, 2, 7, 12.0)], [record(1, 11.0), record(2, 13.0)], [])
    assert (verdict.again, verdict.repeated) == ([], [])


def test_the_record_of_a_later_attempt_settles_the_earlier_ones() -> None:
    late = Call(KEY, 1, 8, 14.0)
    assert judge([late], [record(2, 13.0)], []).again == [late]


def test_a_stopped_worker_may_finish_what_it_had_decided_on() -> None:
    late = Call(KEY, 1, 7, 20.01)
    verdict = judge([late], [record(1, 15.0)], [Standstill(7, 10.0, 20.0)])
    assert verdict.again == []
    assert verdict.overtaken == [late]


def test_a_stopped_worker_may_not_begin_what_it_had_not_decided_on() -> None:
    records = [record(1, 15.0)]
    long_after = Call(KEY, 1, 7, 22.0)
    assert judge([long_after], records, [Standstill(7, 10.0, 20.0)]).again == [long_after]
    recorded_before = Call(KEY, 1, 7, 20.01)
    assert judge([recorded_before], records, [Standstill(7, 16.0, 20.0)]).again == [recorded_before]
    another = Call(KEY, 1, 8, 20.01)
    assert judge([another], records, [Standstill(7, 10.0, 20.0)]).again == [another]


def test_a_takeover_lasts_from_the_kill_to_the_next_record_of_the_batch() -> None:
    killing = Killing(100.0, [Held("run", 0, 5), Held("run", 5, 5), Held("run", 10, 5)])
    records = [
        Recorded("run", 1, "pay", 1, 99.0),
        Recorded("run", 1, "settle", 1, 104.0),
        Recorded("run", 2, "pay", 1, 103.0),
        Recorded("run", 7, "pay", 1, 105.0),
        Recorded("other", 12, "pay", 1, 101.0),
    ]
    assert takeovers([killing], records) == [[3.0, 5.0]]
