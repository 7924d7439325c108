"""Each kind of rule by itself, and what makes its values more or less sure."""

from typing import Any

import pytest

from weft.kit.extraction.document import MOST_CHARACTERS, NoDocumentError, read_document
from weft.kit.extraction.extracting import extract
from weft.kit.extraction.extraction import Extraction
from weft.kit.extraction.rule_set import RuleSet
from weft.kit.extraction.rules import Check, FieldRules
from weft.kit.extraction.shaping import Shaper

TYPES: dict[str, Any] = {
    "amount": {"type": "number"}, "number": {"type": "number"}, "date": {"type": "string", "format": "date"},
}  # fmt: skip


def schema_for(fields: dict[str, FieldRules]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, rules in fields.items():
        one = TYPES.get(rules.type, {"type": "string"})
        if rules.columns:
            columns = {column: TYPES.get(kind.type, {"type": "string"}) for column, kind in rules.columns.items()}
            one = {"type": "array", "items": {"type": "object", "properties": columns}}
        elif rules.many:
            one = {"type": "array", "items": one}
        properties[name] = one
    return {"type": "object", "properties": properties}


def by_rules(
    document: Any,
    fields: dict[str, Any],
    *,
    decoys: tuple[str, ...] = (),
    checks: tuple[Check, ...] = (),
    least: float = 0.0,
) -> Extraction:
    read = {name: FieldRules.model_validate(rules) for name, rules in fields.items()}
    rule_set = RuleSet(schema_for(read), read, decoys, checks)
    assert rule_set.problems == []
    return extract(read_document(document), rule_set, Shaper(rule_set.schema), min_confidence=least)


def label(*labels: str, **more: Any) -> dict[str, Any]:
    return {"kind": "label", "labels": list(labels), **more}


@pytest.mark.parametrize(
    "text",
    [
        "Room: 12 B",
        "ROOM   12 B      Floor 3",
        "Room:\n12 B",
        "Name      Room      Floor\nAda       12 B      3",
        "room. 12 B",
        "Zimmer: 12 B",
        "Chambré = 12 B",
    ],
)
def test_a_labelled_value_stands_to_the_right_or_below(text: str) -> None:
    rules = {"room": {"rules": [label("room", "zimmer", "chambre")]}, "floor": {"rules": [label("floor")]}}

    extraction = by_rules(text, {**rules, "name": {"rules": [label("name")]}})

    assert extraction.values["room"] == "12 B"
    found = extraction.fields["room"].found
    assert found is not None
    assert text[found.start : found.end] == "12 B"


def test_a_value_may_be_asked_for_to_the_left_or_above() -> None:
    left = by_rules("40 km  distance", {"it": {"rules": [label("distance", where=["LEFT"])]}})
    above = by_rules("Ada Lovelace\nSignature", {"it": {"rules": [label("signature", where=["ABOVE"])]}})

    assert left.values["it"] == "40 km"
    assert above.values["it"] == "Ada Lovelace"


def test_how_far_a_value_may_stand_is_said_by_the_rule() -> None:
    below = "Code\n\nalpha\nbeta"
    beside = "Code" + " " * 50 + "alpha"

    assert by_rules(beside, {"it": {"rules": [label("code", columns=60)]}}).values == {"it": "alpha"}
    assert by_rules(beside, {"it": {"rules": [label("code", columns=40)]}}).values == {}
    assert by_rules(below, {"it": {"rules": [label("code", where=["BELOW"], lines=1)]}}).values == {"it": "alpha"}
    assert by_rules("Code\n      x\nalpha", {"it": {"rules": [label("code", where=["BELOW"], lines=1)]}}).values == {}


def test_the_longest_label_wins_even_when_it_belongs_to_no_field() -> None:
    text = "Order date: 2026-01-01\nUpdate 2026-02-02\nDate: 2026-03-03"
    fields = {"date": {"type": "date", "rules": [label("date")]}}

    assert by_rules(text, fields, decoys=("order date",)).values == {"date": "2026-03-03"}
    assert by_rules("Order date: 2026-01-01", fields, decoys=("order date",)).missing == ["date"]


def test_a_label_inside_a_sentence_counts_only_where_the_rule_allows_it() -> None:
    text = "Then the fee is 12.00 EUR a month"

    assert by_rules(text, {"fee": {"type": "amount", "rules": [label("fee")]}}).values == {}
    allowed = by_rules(text, {"fee": {"type": "amount", "rules": [label("fee", anywhere=True)]}})
    assert allowed.values == {"fee": 12.0}
    assert allowed.fields["fee"].confidence < by_rules("Fee 12.00 EUR", {"fee": {"type": "amount", "rules": [label("fee")]}}).fields["fee"].confidence  # fmt: skip


def test_of_several_values_in_a_row_the_rule_says_which() -> None:
    text = "            Net       Tax      Gross\nTotal    100.00     20.00     120.00"

    def value(**more: Any) -> Any:
        return by_rules(text, {"it": {"type": "amount", "rules": [label("total", where=["RIGHT"], **more)]}}).values[
            "it"
        ]

    assert value() == 100.0
    assert value(take="LAST") == 120.0
    assert value(header=["tax"]) == 20.0
    every = {"it": {"type": "amount", "many": True, "rules": [label("total", where=["RIGHT"], take="ALL")]}}
    assert by_rules(text, every).values["it"] == [100.0, 20.0, 120.0]


def test_a_pattern_gives_its_group() -> None:
    text = "Ref AB-12 and ref CD-34"
    rules = [{"kind": "pattern", "pattern": r"ref (?P<value>[a-z]{2}-\d+)"}]

    assert by_rules(text, {"it": {"many": True, "rules": rules}}).values == {"it": ["AB-12", "CD-34"]}
    exact = [{**rules[0], "ignoreCase": False}]
    assert by_rules(text, {"it": {"rules": exact}}).values == {}
    dated = [{"kind": "pattern", "pattern": "from (.{6,20})"}]
    assert by_rules("valid from 1 May 2026.", {"it": {"type": "date", "rules": dated}}).values == {"it": "2026-05-01"}


def test_a_pattern_with_named_groups_gives_rows() -> None:
    text = "3 x apples at 1.20\n10 x pears at 0.90\n"
    fields = {
        "lines": {
            "type": "rows",
            "columns": {
                "what": {"headers": ["what"]},
                "count": {"type": "number", "headers": ["count"]},
                "price": {"type": "amount", "headers": ["price"]},
            },
            "rules": [{"kind": "pattern", "pattern": r"(?P<count>\d+) x (?P<what>\w+) at (?P<price>[\d.]+)"}],
        }
    }

    extraction = by_rules(text, fields)

    assert extraction.values["lines"] == [
        {"what": "apples", "count": 3.0, "price": 1.2}, {"what": "pears", "count": 10.0, "price": 0.9},
    ]  # fmt: skip
    assert extraction.fields["lines.1.what"].found.text == "pears"  # pyright: ignore[reportOptionalMemberAccess]


def test_a_section_ends_at_the_next_heading() -> None:
    text = "Skills\n  Python, SQL;\n• Knitting\n\nEducation\nOxford"
    fields = {
        "skills": {"many": True, "rules": [{"kind": "section", "headings": ["skills"], "separators": ",;"}]},
        "education": {"rules": [{"kind": "section", "headings": ["education"]}]},
    }

    assert by_rules(text, fields).values == {"skills": ["Python", "SQL", "Knitting"], "education": "Oxford"}


def test_sections_side_by_side_keep_to_their_columns() -> None:
    text = "Skills               Languages\nPython               Dutch\nSQL                  Welsh"
    fields = {
        "skills": {"many": True, "rules": [{"kind": "section", "headings": ["skills"]}]},
        "languages": {"many": True, "rules": [{"kind": "section", "headings": ["languages"]}]},
    }

    assert by_rules(text, fields).values == {"skills": ["Python", "SQL"], "languages": ["Dutch", "Welsh"]}


ROWS: dict[str, Any] = {
    "lines": {
        "type": "rows",
        "columns": {
            "what": {"headers": ["item"]},
            "count": {"type": "number", "headers": ["qty"]},
            "price": {"type": "amount", "headers": ["price"]},
        },
    },
    "codes": {"many": True, "rules": [{"kind": "column", "headers": ["code"]}]},
    "total": {"type": "amount", "rules": [label("total")]},
}


def test_rows_of_a_page_and_a_single_column() -> None:
    text = (
        "Code   Item               Qty      Price\n"
        "A1     Garden chair         2      35.00\n"
        "       with cushion\n"
        "B7     Table                1     120.50\n"
        "Total                             190.50\n"
    )

    values = by_rules(text, ROWS).values

    assert values["lines"] == [
        {"what": "Garden chair with cushion", "count": 2.0, "price": 35.0}, {"what": "Table", "count": 1.0, "price": 120.5},
    ]  # fmt: skip
    assert values["codes"][:2] == ["A1", "B7"]


def test_rows_of_a_table_that_was_read_apart_point_into_the_text() -> None:
    text = "Item;Qty;Price\nChair;2;35.00\nTable;1;120.50"
    rows = [line.split(";") for line in text.splitlines()]
    document = {"pages": [{"number": 1, "text": text}], "tables": [{"page": 1, "name": None, "rows": rows}]}

    extraction = by_rules(document, ROWS)

    assert [row["what"] for row in extraction.values["lines"]] == ["Chair", "Table"]
    for field in extraction.fields.values():
        assert field.found is not None
        assert text[field.found.start : field.found.end] == field.found.text


def test_values_that_agree_are_surer_and_rivals_are_less_sure() -> None:
    fields = {"it": {"rules": [label("room", confidence=0.7)]}}

    def confidence(text: str) -> float:
        return by_rules(text, fields).fields["it"].confidence

    alone = confidence("Room: 12")
    assert confidence("Room: 12\nRoom: 12") > alone
    assert confidence("Room: 12\nRoom: 14") < alone * 0.5


def test_a_sum_that_holds_makes_its_numbers_surer_and_one_that_does_not_less_sure() -> None:
    fields = {name: {"type": "amount", "rules": [label(name)]} for name in ("net", "tax", "total")}
    check = (Check(kind="sum", fields=("net", "tax"), to=("total",)),)

    def confidence(text: str, checks: tuple[Check, ...]) -> float:
        return by_rules(text, fields, checks=checks).fields["total"].confidence

    right, wrong = "Net 10.00\nTax 2.00\nTotal 12.00", "Net 10.00\nTax 2.00\nTotal 13.00"
    assert confidence(right, check) > confidence(right, ()) > confidence(wrong, check)


def test_a_sum_finds_the_candidates_that_are_meant() -> None:
    fields = {name: {"type": "amount", "rules": [label(name)]} for name in ("net", "tax", "total")}
    check = (Check(kind="sum", fields=("net", "tax"), to=("total",)),)
    text = "Total 7.00\nTotal 12.00\nNet 10.00\nTax 2.00"

    assert by_rules(text, fields, checks=check).values["total"] == 12.0


def test_dates_out_of_order_are_not_sure() -> None:
    fields = {name: {"type": "date", "rules": [label(name)]} for name in ("start", "end")}
    check = (Check(kind="order", fields=("start", "end")),)

    ordered = by_rules("Start 2026-01-01\nEnd 2026-02-01", fields, checks=check)
    reversed_ = by_rules("Start 2026-02-01\nEnd 2026-01-01", fields, checks=check)

    assert reversed_.fields["end"].confidence < ordered.fields["end"].confidence * 0.5


def test_what_is_not_sure_enough_is_missing() -> None:
    fields = {"it": {"rules": [label("room", confidence=0.6)]}, "other": {"rules": [label("hall")]}}

    extraction = by_rules("Room: 12", fields, least=0.7)

    assert (extraction.values, extraction.missing) == ({}, ["it", "other"])


def test_a_value_that_does_not_fit_the_schema_is_left_out() -> None:
    fields = {"it": FieldRules.model_validate({"rules": [label("grade")]})}
    schema = {"type": "object", "properties": {"it": {"type": "string", "enum": ["A", "B"]}}}
    rule_set = RuleSet(schema, fields)

    assert extract(read_document("Grade: a"), rule_set, Shaper(schema)).values == {"it": "A"}
    wrong = extract(read_document("Grade: F"), rule_set, Shaper(schema))
    assert (wrong.values, wrong.fields, wrong.missing) == ({}, {}, ["it"])


def test_nested_values_stand_at_their_paths() -> None:
    schema = {
        "type": "object",
        "properties": {"seller": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    rule_set = RuleSet(schema, {"seller.name": FieldRules.model_validate({"rules": [label("seller")]})})

    assert extract(read_document("Seller: Ada"), rule_set, Shaper(schema)).values == {"seller": {"name": "Ada"}}


@pytest.mark.parametrize("value", [None, 5, [], {}, {"pages": []}, {"text": 3}, {"pages": [{"number": 1}]}])
def test_what_is_no_document_says_so(value: Any) -> None:
    with pytest.raises(NoDocumentError, match="document"):
        read_document(value)


def test_a_document_has_a_largest_size() -> None:
    with pytest.raises(NoDocumentError, match="at most"):
        read_document("x" * (MOST_CHARACTERS + 1))


@pytest.mark.parametrize(
    "text", ["date: " * 10_000, "a " * 30_000, "date  " * 10_000, "\n" * 100_000, "1 " * 30_000, "date" * 20_000],
    ids=["labels", "words", "cells", "lines", "numbers", "one word"],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_odd_texts_take_no_longer_than_others(text: str) -> None:
    fields: dict[str, Any] = {
        "d": {"type": "date", "rules": [label("date")]},
        "n": {"rules": [label("a", "number")]},
        **ROWS,
    }

    by_rules(text, fields)
