"""The rule sets for contracts and résumés on papers in two languages and several layouts, as text, PDF and Word."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papers.contracts import CONTRACTS, Paper
from papers.files import as_pdf, as_word
from papers.hard import HARD_CONTRACTS, HARD_RESUMES
from papers.resumes import RESUMES

from weft.kit.extraction.document import read_document
from weft.kit.extraction.extracting import extract
from weft.kit.extraction.extraction import Extraction
from weft.kit.extraction.sets import built_in
from weft.kit.extraction.shaping import Shaper
from weft.kit.parsing.parsed import Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source

SURE = 0.8
ALL = [("contract", paper) for paper in (*CONTRACTS, *HARD_CONTRACTS)] + [
    ("resume", paper) for paper in (*RESUMES, *HARD_RESUMES)
]
EASY = [("contract", paper) for paper in CONTRACTS] + [("resume", paper) for paper in RESUMES]


def extracted(kind: str, pages: list[str]) -> Extraction:
    rule_set = built_in(kind)
    assert rule_set.problems == []
    document = read_document({"pages": [{"number": number, "text": text} for number, text in enumerate(pages, 1)]})
    return extract(document, rule_set, Shaper(rule_set.schema))


def parsed(content: bytes, name: str) -> list[str]:
    return [page.text for page in read(Source(content, name), Wanted()).pages]


def sure_and_wrong(extraction: Extraction, paper: Paper) -> dict[str, Any]:
    """What is believed and is not what the paper says; a list counts as one value."""
    confidence: dict[str, float] = {}
    for path, field in extraction.fields.items():
        name = path.partition(".")[0]
        confidence[name] = max(confidence.get(name, 0.0), field.confidence)
    return {
        name: value
        for name, value in extraction.values.items()
        if confidence[name] >= SURE and value != paper.values.get(name)
    }


@pytest.mark.parametrize(("kind", "paper"), ALL, ids=lambda given: getattr(given, "name", given))
def test_nothing_that_is_sure_is_wrong(kind: str, paper: Paper) -> None:
    assert sure_and_wrong(extracted(kind, [paper.text]), paper) == {}


@pytest.mark.parametrize(("kind", "paper"), EASY, ids=lambda given: getattr(given, "name", given))
def test_a_usual_paper_is_read_completely(kind: str, paper: Paper) -> None:
    assert extracted(kind, [paper.text]).values == paper.values


@pytest.mark.parametrize(("kind", "paper"), ALL, ids=lambda given: getattr(given, "name", given))
def test_the_same_paper_as_a_pdf_says_nothing_wrong_with_certainty(kind: str, paper: Paper) -> None:
    extraction = extracted(kind, parsed(as_pdf(paper.text), "paper.pdf"))
    assert sure_and_wrong(extraction, paper) == {}


@pytest.mark.parametrize(("kind", "paper"), EASY, ids=lambda given: getattr(given, "name", given))
def test_most_of_a_usual_paper_is_found_in_its_pdf_and_word_file(kind: str, paper: Paper) -> None:
    for content, name in ((as_pdf(paper.text), "paper.pdf"), (as_word(paper.text), "paper.docx")):
        values = extracted(kind, parsed(content, name)).values
        right = [field for field, value in paper.values.items() if values.get(field) == value]
        assert len(right) >= 0.7 * len(paper.values), (name, values)


@pytest.mark.parametrize(("kind", "paper"), ALL, ids=lambda given: getattr(given, "name", given))
def test_every_value_names_the_place_that_says_it(kind: str, paper: Paper) -> None:
    for path, field in extracted(kind, [paper.text]).fields.items():
        assert field.found is not None, path
        assert paper.text[field.found.start : field.found.end] == field.found.text, path
        assert field.found.text.strip(), path


def test_a_letter_about_a_contract_is_none() -> None:
    letter = next(paper for paper in HARD_CONTRACTS if paper.name == "no contract")
    extraction = extracted("contract", [letter.text])
    assert {"title", "parties"} <= set(extraction.missing)
    assert extraction.confidence < 0.5


def test_what_people_name_as_a_reference_is_not_the_candidate() -> None:
    extraction = extracted("resume", [RESUMES[0].text])
    assert "mark.stone@example.org" not in str(extraction.values)
    assert "+12125550188" not in str(extraction.values)


LINES = st.sampled_from([line for paper in (*CONTRACTS, *RESUMES) for line in paper.text.split("\n")])


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.lists(LINES, max_size=30).map("\n".join),
        st.lists(LINES).map("".join),
    )
)
def test_no_text_breaks_a_rule_set(text: str) -> None:
    for kind in ("contract", "resume"):
        extraction = extracted(kind, [text])
        for field in extraction.fields.values():
            assert field.found is not None
            assert text[field.found.start : field.found.end] == field.found.text
            assert 0 < field.confidence < 1


@pytest.mark.parametrize("kind", ["contract", "resume"])
def test_halves_of_surrogate_pairs_break_nothing(kind: str) -> None:
    assert extracted(kind, ["Name: \ud800 Ada\udfff"]) is not None


@pytest.mark.parametrize("kind", ["contract", "resume"])
@pytest.mark.parametrize(
    "unit",
    [
        "governed by the laws of England and Wales. ",
        'between Acme Inc. ("A") and ',
        "12 months notice renew term ",
        "EXPERIENCE\n2019 - 2020 Engineer, Acme GmbH\n",
        "SKILLS   EXPERIENCE\nx  2019 - 2020\n",
        "SKILLS\na, b, c\n",
        "Jane Doe\n",
        "Gerichtsstand für ",
        "(",
        "   ",
    ],
)
def test_time_grows_with_the_length_of_a_paper_alone(kind: str, unit: str) -> None:
    def seconds(length: int) -> float:
        """The shortest of three: others disturb a single one."""
        took: list[float] = []
        for _ in range(3):
            started = time.process_time()
            extracted(kind, [(unit * length)[:length]])
            took.append(time.process_time() - started)
        return min(took)

    seconds(1_000)  # names and patterns are loaded once
    short, long = seconds(5_000), seconds(40_000)
    assert long < 24 * max(short, 0.01)
