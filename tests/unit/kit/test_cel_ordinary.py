"""What people write, on records as large as they come: none of it may meet a limit that is there for strangers."""

from typing import Any

import pytest

from weft.kit.cel import CelScope, compile_cel, compile_mapping

SCOPE = CelScope({"input": None, "params": None})
SMALL: dict[str, Any] = {
    "name": "a.b-c  d",
    "title": "A title, of some length",
    "text": "alpha beta gamma. " * 2,
    "tags": ["tag-1", "tag-2", "other"],
    "words": ["alpha", "beta"],
    "lines": [{"sku": f"SKU-{n}", "qty": n, "price": 1.5, "options": ["a", "b"]} for n in range(3)],
    "orders": [{"id": n, "lines": [{"price": 2.0, "qty": 1}] * 2} for n in range(2)],
    "old": "alpha",
    "new": "omega",
}
LARGE: dict[str, Any] = SMALL | {
    "text": "alpha beta-x gamma, delta. " * 700,
    "tags": [f"tag-{n}" for n in range(1000)],
    "words": ["alpha", "beta", "gamma"] * 20,
    "lines": [{"sku": f"SKU-{n}", "qty": n, "price": 1.5, "options": ["a", "b"]} for n in range(300)],
    "orders": [{"id": n, "lines": [{"price": 2.0, "qty": 1}] * 10} for n in range(60)],
}
PARAMS = {"pattern": "^SKU-[0-9]{1,6}$", "currency": "EUR"}

SOURCES = (
    "input.name.replace('.', ' ').replace('-', ' ').replace('  ', ' ')",
    "input.text.lowerAscii().trim().replace('.', '').replace(',', '').replace(';', '').replace('!', '').replace(' ', '-')",
    "input.text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;').replace('\"', '&quot;')",
    "input.text.split('.').join('-').split('-').join(' ').split(',').join('; ')",
    "input.text.split('.').filter(part, part.size() > 4).map(part, part.trim().upperAscii()).join(', ')",
    "input.text.replace(input.old, input.new)",
    "input.text.replace(input.old, input.new).replace(input.name, input.title)",
    "input.text.contains(input.old) && input.text.indexOf(input.new) < 0",
    "input.tags.map(t, t.replace('tag-', '').trim() + '!').filter(t, t != '3!').join(', ')",
    "input.tags.map(t, input.title + ': ' + t).join('; ')",
    "input.tags.exists(t, input.text.contains(t))",
    "input.tags.filter(t, t.matches('^tag-[0-9]{1,3}$')).size()",
    "input.tags.filter(t, !(t in input.words)).map(t, t.split('-')[0])",
    "input.tags.map(t, t).filter(t, t.size() > 1).map(t, t + 'a').filter(t, t != '')",
    "input.lines.filter(l, l.sku.matches(params.pattern)).size()",
    "input.lines.filter(l, l.qty > 1).map(l, l.sku + ' x ' + string(l.qty)).join(', ')",
    "input.lines.map(l, '%s: %d x %.2f %s'.format([l.sku, l.qty, l.price, params.currency])).join(', ')",
    "input.lines.map(l, {'sku': l.sku, 'twice': l.qty * 2, 'label': l.sku + ' ' + input.title})",
    "input.lines.map(l, l.sku.replace('-', params.currency)).join(params.currency)",
    "input.lines.all(l, l.options.exists(o, o in input.words) || l.price > 1.0)",
    "input.orders.map(o, o.lines.map(l, l.price * 2.0)).size() + input.orders.map(o, o.lines.filter(l, l.qty > 0)).size()",
    "input.orders.map(o, o.lines.map(l, params.currency + ' ' + string(l.price)).join(', ')).join('; ')",
    "input.text.matches('[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}')",
    r"input.name.matches('^\\p{L}+$') ? input.name : input.title",
    "input.lines[0].sku.matches(params.pattern)",
    "input.?nick.orValue(input.name).split(' ').map(part, part.upperAscii() + '.').join(' ')",
    "input.?nick.optMap(n, n.replace('a', 'b').replace('c', 'd')).orValue('none')",
    "input.name + ' ' + input.title + ' ' + input.text + ' (' + string(input.tags.size()) + ')'",
    "strings.quote(input.text).size() + input.text.reverse().size()",
)


@pytest.mark.parametrize("record", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("source", SOURCES)
def test_an_ordinary_expression_runs_on_a_record_of_any_usual_size(source: str, record: dict[str, Any]) -> None:
    compile_cel(source, SCOPE).evaluate({"input": record, "params": PARAMS})


@pytest.mark.parametrize("record", [SMALL, LARGE], ids=["small", "large"])
def test_a_mapping_of_ordinary_expressions_runs(record: dict[str, Any]) -> None:
    mapping = compile_mapping({f"n{index}": source for index, source in enumerate(SOURCES)}, SCOPE)
    assert len(mapping.evaluate({"input": record, "params": PARAMS})) == len(SOURCES)


def test_a_chain_of_replacements_gives_what_it_says() -> None:
    assert compile_cel(SOURCES[0], SCOPE).evaluate({"input": SMALL}) == "a b c d"
