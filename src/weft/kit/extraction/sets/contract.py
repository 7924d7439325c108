"""What the contract rule set needs beside rules."""

from collections.abc import Iterator

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document, Page
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rule_set import Candidates, RuleSet, rule_set
from weft.kit.extraction.rules import RuleSetText
from weft.kit.extraction.sets import contract_law, contract_parties, contract_terms
from weft.kit.extraction.sets.prose import candidate
from weft.kit.extraction.values.text import Pattern

_TITLE = Pattern(
    r"(?:agreement|contract|lease|memorandum|statement[ ]of[ ]work|deed|terms[ ]of[ ]service)(?:[^\pL]|$)|vertrag(?:[^\pL]|$)|vereinbarung(?:[^\pL]|$)"
)
_NO_TITLE = Pattern(
    r"(?:^|[ ])(?:this|between|shall|dieser|zwischen|wird|is|ist|page|seite|dated)(?:[^\pL]|$)|[.:;,]$|^[0-9§]"
)
NO_CONTRACT = 0.5
_LONGEST_TITLE, _TITLE_LINES = 90, 12


def made(text: RuleSetText) -> RuleSet:
    return rule_set(
        text,
        finders={
            "titles": titles,
            "parties": contract_parties.parties,
            "effective_dates": contract_terms.effective_dates,
            "signing_dates": contract_terms.signing_dates,
            "end_dates": contract_terms.end_dates,
            "terms": contract_terms.terms,
            "renewal_terms": contract_terms.renewal_terms,
            "automatic_renewals": contract_terms.automatic_renewals,
            "notice_periods": contract_terms.notice_periods,
            "governing_laws": contract_law.governing_laws,
            "governing_countries": contract_law.governing_countries,
            "jurisdictions": contract_law.jurisdictions,
        },
        reviewers=(review,),
    )


def review(_document: Document, candidates: Candidates) -> None:
    """A letter about a contract has dates as well, but neither title nor parties."""
    if not candidates.get("title") and not candidates.get("parties"):
        for path, found in candidates.items():
            candidates[path] = [one.doubted(NO_CONTRACT) for one in found]


def titles(document: Document, _readings: Readings) -> Iterator[Candidate]:
    """The first short line that says what kind of contract it is."""
    page = document.pages[0]
    for line in page.lines[:_TITLE_LINES]:
        written = line.text.strip(" #*_")
        if len(written) <= _LONGEST_TITLE and _TITLE.search(written) and not _NO_TITLE.search(written):
            yield _title(page, line.start + line.text.index(written), written)
            return


def _title(page: Page, start: int, written: str) -> Candidate:
    sure = 0.9 if len(written.split()) <= 8 else 0.7  # noqa: PLR2004 - longer lines are sentences
    return candidate(page, start, start + len(written), " ".join(written.split()), sure, "title")
