import time
from collections.abc import Iterator
from typing import Any

import pytest

from weft.kit.liquid import LiquidRenderError, LiquidSyntaxProblemError, compile_liquid

VALUES: dict[str, Any] = {
    "name": "Ada <b>",
    "customer": {"email": "a@b.test"},
    "lines": [{"price": 1.5}, {"price": 2}],
    "text": "x" * 1000,
    "huge": "x" * 400_000,
    "many": ["x" * 100] * 1000,
}


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    started = time.thread_time()
    yield
    assert time.thread_time() - started < 3


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Invoice for {{ customer.email | upcase }}", "Invoice for A@B.TEST"),
        ("{% for line in lines %}{{ line.price }};{% endfor %}", "1.5;2;"),
        ("{% if note %}{{ note }}{% else %}none{% endif %}{{ note | default: '-' }}", "none-"),
        ("{{ '2026-01-31' | date: '%d.%m.%Y' }}", "31.01.2026"),
        ("{{ name }}", "Ada <b>"),
    ],
)
def test_texts_are_rendered(source: str, text: str) -> None:
    assert compile_liquid(source).render(VALUES) == text


def test_values_are_escaped_on_request() -> None:
    assert compile_liquid("<i>{{ name }}</i>", autoescape=True).render(VALUES) == "<i>Ada &lt;b&gt;</i>"


def test_a_missing_value_is_named_with_its_place() -> None:
    with pytest.raises(LiquidRenderError, match=r"2:4: there is no value for customer\.phone"):
        compile_liquid("Hello\n{{ customer.phone }}").render(VALUES)


def test_what_a_template_reads_is_known_with_its_place() -> None:
    source = "{{ name }}\n{% for l in lines %}{{ l.price }}{{ forloop.index }}{% endfor %}{% assign a = b.c[0].d %}{{ a.x }}{{ s.size }}"
    found = [(str(variable), variable.line, variable.column) for variable in compile_liquid(source).variables]
    assert [name for name, _, _ in found] == ["name", "lines", "b.c", "s"]
    assert found[0] == ("name", 1, 4)
    assert found[1] == ("lines", 2, 13)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ name ", "1:1: "),
        ("a\n{% for x in lines %}", "2:21: expected tag endfor, found the end of the template"),
        ("{% nope %}", "1:4: unexpected tag 'nope'"),
        ("{% include 'other' %}", "unexpected tag 'include'"),
        ("{% render 'other' %}", "unexpected tag 'render'"),
        ("{{ name | upcas }}", '1:11: there is no filter "upcas" (did you mean "upcase"?)'),
        ("x" * 60_000, "at most 50000"),
        ("{{ a }}" * 2000, "more than 1000 tags"),
        ("{% if a %}" * 100 + "{% endif %}" * 100, "nesting limit"),
        ("{{ a" + "[a" * 5000 + "]" * 5000 + "}}", "nested too deeply"),
    ],
)
def test_problems_have_their_place(source: str, problem: str) -> None:
    with pytest.raises(LiquidSyntaxProblemError) as caught:
        compile_liquid(source)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ text | replace: 'x', text | replace: 'x', text }}", "to make a text"),
        ("{{ huge | replace: '', huge }}", "to make a text"),
        ("{{ many | join: text }}", "to make a text"),
        ("{{ huge | split: '' }}", "to make a list"),
        ("{{ (1..1000000000) | join: ',' }}", "a list of more"),
        ("{% for i in (1..1000000000) %}x{% endfor %}", "rounds"),
        ("{% tablerow i in (1..1000000000) %}x{% endtablerow %}", "rounds"),
        ("{% for i in (1..200) %}{% for j in (1..200) %}x{% endfor %}{% endfor %}", "rounds"),
        ("{% for i in (1..9000) %}{{ text }}{% endfor %}", "longer than"),
        ("{% capture a %}{% for i in (1..9000) %}{{ text }}{% endfor %}{% endcapture %}", "longer than"),
        ("{% assign a = text %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}", "a text of more"),
        ("{% assign a = many %}{% for i in (1..40) %}{% assign a = a | concat: a %}{% endfor %}", "a list of more"),
        ("{% assign a = 99999 %}{% for i in (1..40) %}{% assign a = a | times: a %}{% endfor %}", "30 digits"),
        ("{{ 'now' | date: '%1000000000d' }}", "without a width"),
        (
            "{% for i in (1..9000) %}{% assign a = huge | upcase | downcase | upcase | downcase %}{% endfor %}",
            "too long",
        ),
        ("{{ 1 | divided_by: 0 }}", "divide by 0"),
        ("{{ text | truncate: 'x' }}", "."),
    ],
)
def test_templates_that_would_explode_are_stopped(source: str, message: str) -> None:
    with pytest.raises(LiquidRenderError, match=message):
        compile_liquid(source).render(VALUES)


def test_a_rendering_that_was_only_kept_waiting_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that was stopped in the middle, or on a machine that is busy with others."""
    stopped = iter(range(0, 100_000, 5))
    monkeypatch.setattr("weft.kit.liquid.time.monotonic", lambda: float(next(stopped)))
    assert compile_liquid("{{ a }} {{ a | upcase }} {{ a }}").render({"a": "x"}) == "x X x"
