"""Values asked for by their names alone."""

from typing import Any

import pytest
from steps.items import item, problems, step

from weft.domain.step import Fail
from weft.kit.extraction.sets import NAMES, built_in
from weft.kit.extraction.sets.names import meant_by, path_in
from weft.kit.json_schema import compile_schema

RECEIPT = (
    "ACME Ltd\nInvoice number: A-17\nInvoice date: 2 May 2026\nShelf: B 4\n\n"
    "Description      Quantity   Unit price   Amount\n"
    "Nail             2          5.00         10.00\n\n"
    "Subtotal 10.00 EUR\nVAT 2.00 EUR\nTotal due 12.00 EUR\n"
)
ASKED = ["invoice_number", "date", "total_amount", "vendor_name", "line_items"]


async def given(config: dict[str, Any], kind: str = "extract") -> Any:
    prepared = step(kind, config)
    output = (await prepared.run(item(RECEIPT), RECEIPT)).value
    assert prepared.output_schema is not None
    assert compile_schema(prepared.output_schema).check(output) == []
    return output


async def test_known_names_are_found_by_the_rules_of_a_built_in_set() -> None:
    values = await given({"entities": ASKED}, "entity_extraction")

    rows = values.pop("line_items")
    assert values == {
        "invoice_number": "A-17",
        "date": "2026-05-02",
        "total_amount": 12.0,
        "vendor_name": "ACME Ltd",
    }
    assert [(row["description"], row["quantity"], row["amount"]) for row in rows] == [("Nail", 2.0, 10.0)]


async def test_by_its_own_name_the_step_gives_the_places_too_under_the_names_that_were_asked_for() -> None:
    found = await given({"entities": ["invoiceNumber", "line_items", "customer"]})

    assert found["values"]["invoiceNumber"] == "A-17"
    assert found["fields"]["invoiceNumber"]["found"]["rule"] == "label:invoice number"
    assert "line_items.0.description" in found["fields"]
    assert found["missing"] == ["customer"]


async def test_a_name_that_no_set_knows_is_looked_for_beside_its_words() -> None:
    assert (await given({"entities": ["total_amount", "shelf"], "give": "values"})) == {
        "total_amount": 12.0,
        "shelf": "B 4",
    }
    assert (await given({"entities": ["shelf"], "give": "VALUES"})) == {"shelf": "B 4"}


async def test_two_names_may_mean_the_same() -> None:
    assert await given({"entities": ["total", "grand_total"], "give": "VALUES"}) == {"total": 12.0, "grand_total": 12.0}


async def test_none_of_the_names_is_required_unless_it_is_said() -> None:
    assert await given({"entities": ["iban"], "give": "VALUES"}) == {}
    with pytest.raises(Fail) as failure:
        await given({"entities": ["bank_account"], "required": ["bank_account"]})
    assert failure.value.reason == "Required values are missing or not sure enough: bank_account."


async def test_rules_of_the_config_go_by_the_names_that_were_asked_for() -> None:
    fields = {"invoice_number": {"rules": [{"kind": "pattern", "pattern": "Shelf: (?P<value>.+)"}]}}
    assert await given({"entities": ["invoice_number"], "fields": fields, "give": "VALUES"}) == {
        "invoice_number": "B 4"
    }


@pytest.mark.parametrize(
    "config",
    [
        {"entities": []},
        {"entities": ["a.b"]},
        {"entities": ["a", "a"]},
        {"entities": ["a"], "schema": {"type": "object", "properties": {"a": {}}}},
        {"entities": ["total"], "required": ["totl"]},
    ],
)
def test_names_that_cannot_be_meant_are_mistakes(config: dict[str, Any]) -> None:
    assert problems("extract", config)


def test_the_set_that_knows_most_of_the_names_is_taken() -> None:
    assert meant_by(("full_name", "email", "Skills")) == "resume"
    assert meant_by(("parties", "start date", "iban")) == "contract"
    assert meant_by(("date",)) == "invoice"
    assert meant_by(("shelf",)) is None


@pytest.mark.parametrize("rule_set", NAMES)
def test_every_value_of_a_set_is_known_by_its_own_name(rule_set: str) -> None:
    assert {path: path_in(rule_set, path) for path in built_in(rule_set).fields} == {
        path: path for path in built_in(rule_set).fields
    }
