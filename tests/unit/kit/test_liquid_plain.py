from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquid import Environment, FalsyStrictUndefined

from weft.kit.liquid import LiquidRenderError, compile_liquid
from weft.kit.liquid_plain import plain_parts, written

LIBRARY = Environment(undefined=FalsyStrictUndefined)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.dictionaries(
    st.sampled_from(["name", "size", "first", "inner", "today"]),
    st.recursive(
        SCALARS,
        lambda below: (
            st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["name", "size", "first"]), below, max_size=3)
        ),
        max_leaves=6,
    ),
)
PIECES = st.sampled_from(
    ["text ", "{{ name }}", "{{ size }}", "{{ inner.name }}", "{{ inner.size }}", "{{ inner['first'] }}", "ß\n"]
)


@given(source=st.lists(PIECES, max_size=5).map("".join), values=VALUES)
def test_what_is_written_without_the_library_is_what_it_would_write(source: str, values: dict[str, Any]) -> None:
    template = LIBRARY.from_string(source)
    parts = plain_parts(template)
    assert parts is not None
    text = written(parts, values)
    if text is not None:
        assert text == template.render(values)


def test_texts_and_numbers_need_no_library() -> None:
    parts = plain_parts(LIBRARY.from_string("{{ who.name }} owes {{ total }}, {{ share }}"))
    assert parts is not None
    assert written(parts, {"who": {"name": "Ann"}, "total": 3, "share": 0.5}) == "Ann owes 3, 0.5"


@pytest.mark.parametrize(
    "source",
    [
        "{{ name | upcase }}",
        "{% if name %}x{% endif %}",
        "{{ lines[0] }}",
        "{{ lines[place] }}",
        "{{ 'a' }}",
        "{{ 1 }}",
    ],
)
def test_whatever_is_more_than_names_is_left_to_the_library(source: str) -> None:
    assert plain_parts(LIBRARY.from_string(source)) is None


def test_escaping_is_left_to_the_library() -> None:
    assert compile_liquid("{{ name }}", autoescape=True).render({"name": "<b>"}) == "&lt;b&gt;"


def test_a_name_that_is_not_given_is_told_by_the_library() -> None:
    with pytest.raises(LiquidRenderError, match="there is no value for 'name'"):
        compile_liquid("{{ name }}").render({"other": 1})


def test_a_text_that_is_too_long_is_refused_all_the_same() -> None:
    with pytest.raises(LiquidRenderError, match="longer than"):
        compile_liquid("{{ text }}{{ text }}").render({"text": "x" * 600_000})
