"""Hostile expressions: each is refused, or done, in well under the time a person would notice."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from weft.kit.cel import CelEvaluationError, CelScope, CelSyntaxError, compile_cel

SCOPE = CelScope({"input": None})
DATA: dict[str, Any] = {
    "input": {"l": list(range(1000)), "long": list(range(3000)), "t": "x" * 5000, "huge": "x" * 1_000_000}
}
DATA["input"] |= {"half": "x" * 500_000 + "y", "u": "y" * 5000, "pattern": "(x|y)*x(x|y){900}z"}


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x" * 1_000_000, "at most 10000"),
        ("(" * 5000, "nested too deeply"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ("{" * 5000, "nested too deeply"),
        ("1" + "+1" * 4000, "nested too deeply"),
        ("input" + ".a" * 4000, "nested too deeply"),
        ("input" + "[0]" * 3000, "nested too deeply"),
        ("[" + ",".join("1" * 4000) + "]", "more than 1000 parts"),
        ("input.l.map(a, input.l.map(b, input.l.map(c, 1)))", "nested more than 2 deep"),
        ("input.t" + ".replace('x', input.t)" * 8, "too much time or memory even with 1 kB of data"),
        ("input.t.replace('x', input.t).replace('x', input.t)", '1:38: "replace" could take too much'),
        ("[input.t]" + ".map(x, x + x)" * 20, "could take too much"),
        ("[1]" + ".map(x, x)" * 28, "chains too many loops"),
        (r"input.l.all(x, !'q'.matches('\\pL{100}y'))", "too much time or memory"),
        ("input.l.all(x, input.t.matches(x))", "too much time or memory"),
        (
            "+".join([r"string('q'.matches('(\\pL|\\pN){60}y'))"] * 9),
            "write the pattern into the expression, without large",
        ),
        ("'%.999999999f'.format([input.n])", '"format" could take'),
        ("1" + "é" * 5000, "not CEL"),
    ],
)
def test_too_large_expressions_are_refused_when_compiled(source: str, message: str) -> None:
    with pytest.raises(CelSyntaxError, match=message) as caught:
        compile_cel(source, SCOPE)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("input.long.map(x, x)", "more than 1000 elements"),
        ("input.huge.split('').map(x, x)", "more than 1000 elements"),
        ("input.l.map(x, input.l.map(y, x * y)).size()", "10000 rounds"),
        ("input.l.all(x, input.l.all(y, y >= 0))", "10000 rounds"),
        ("input.huge.replace('x', input.huge)", "too much time or memory"),
        ("input.t.replace('x', input.t).replace('y', input.u)", '"replace" could take too much time or memory with'),
        ("input.huge.contains(input.half)", '"contains" could take too much time or memory'),
        ("input.huge.matches('(x|y)*x(x|y){900}z')", "too much time or memory"),
        ("input.huge.matches(input.pattern)", "too much time or memory"),
        ("[input.t]" + ".map(x, x + x)" * 14, "too much time or memory"),
        ("input.l.map(x, input.huge + 'a')", "too much time or memory"),
        ("input.l.all(x, input.huge.matches('(x+x+)+y'))", "too much time or memory"),
    ],
)
def test_expressions_that_would_explode_are_refused_with_their_data(source: str, message: str) -> None:
    with pytest.raises(CelEvaluationError, match=message):
        compile_cel(source, SCOPE).evaluate(DATA)


@pytest.mark.parametrize(
    "source",
    [
        "input.l.map(x, x * 2).filter(x, x > 10).size() == 994",
        "input.l.all(x, x in input.l)",
        "input.huge.split(',').filter(part, part.startsWith('x')).size() == 1",
        "input.huge.size() == 1000000",
        "!input.huge.matches('(x+x+)+y')",
        "input.t.replace('x', 'yy').size() == 10000",
        "!" * 9000 + "true",
    ],
)
def test_large_data_alone_is_no_reason_to_refuse(source: str) -> None:
    assert compile_cel(source, SCOPE).evaluate(DATA) is True


@pytest.mark.parametrize(
    ("source", "linear"),
    [
        ("input.total > 5.0 && input.name + '!' == 'x'", True),
        ("input.name.replace('.', ' ').replace('-', ' ').replace('  ', ' ')", True),
        ("input.l.filter(x, x.n > 1).map(x, x.name + '!').join(', ')", True),
        ("input.name.matches('^[A-Z]{2}[0-9]{6}$')", True),
        ("input.a.replace('x', input.b)", False),
        ("input.l.map(x, x + input.a)", False),
        ("input.a.contains(input.b)", False),
        ("input.a.matches(input.b)", False),
    ],
)
def test_expressions_that_cannot_explode_are_not_measured(source: str, linear: bool) -> None:
    assert compile_cel(source, SCOPE).bound.linear is linear


def test_data_that_is_not_json_is_an_error() -> None:
    with pytest.raises(CelEvaluationError, match="plain JSON"):
        compile_cel("input.l.map(x, x + input.a)", SCOPE).evaluate({"input": {"l": object()}})
    with pytest.raises(CelEvaluationError):
        compile_cel("input.l == 1", SCOPE).evaluate({"input": {"l": object()}})
