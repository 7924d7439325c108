from weft.kit.suggest import did_you_mean, hint_for


def test_a_near_name_is_suggested() -> None:
    assert did_you_mean("totl", ["name", "total"]) == "total"


def test_other_spellings_of_the_same_name_come_first() -> None:
    assert did_you_mean("invoice_number", ["invoiceNumbers", "invoiceNumber"]) == "invoiceNumber"


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert did_you_mean("price", ["xyz"]) is None
    assert hint_for("price", ["xyz"]) == ""


def test_huge_words_cost_nothing() -> None:
    assert did_you_mean("x" * 1_000_000, ["x" * 1_000_000]) is None


def test_a_hint_reads_as_the_end_of_a_sentence() -> None:
    assert hint_for("totl", ["total"]) == ' (did you mean "total"?)'
