"""The dates and spans of time of a contract, told by the words around them."""

from collections.abc import Iterable, Iterator

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document, Page
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rules import Kind
from weft.kit.extraction.sets.prose import after, before, candidate, flat
from weft.kit.extraction.values import durations
from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern

_ON = r"[ ]{0,3}[:]?[ ]{0,3}(?:on|at|of|from|as[ ]of|am|zum|ab|ab[ ]dem|vom|seit|den|dem)?[ ]{0,3}(?:the[ ]|dem[ ]|den[ ]|this[ ])?[ ]{0,3}$"
_EFFECTIVE_BEFORE = Pattern(
    rf"""
    (?:from[ ]and[ ]including|effective(?:[ ]date)?|with[ ]effect|as[ ]of|commenc(?:es|ing|e)|commencement[ ]date|begins?(?:ning)?|starts?(?:ing)?|in[ ]force|start[ ]date
    |beginnt|tritt|mit[ ]Wirkung|gültig|vertragsbeginn|arbeitsbeginn|mietbeginn|beginn[ ]des[ ]\pL{{1,30}}verhältnisses
    |beginn|das[ ]\pL{{1,20}}verhältnis[ ]beginnt|in[ ]kraft){_ON}
    """
)
_EFFECTIVE_AFTER = Pattern(
    r"[ ]{0,2}[(]?(?:the[ ])?[\"“'][ ]?effective[ ]date|[ ]{1,3}in[ ]kraft|[ ]{1,3}[(]the[ ]effective"
)
_END_BEFORE = Pattern(
    rf"""
    (?:until|to[ ]and[ ]including|through|up[ ]to[ ]and[ ]including|expires?|expiring|expiration[ ]date|ends?(?:ing)?|end[ ]date|terminates[ ]automatically|terminates
    |endet|mit[ ]ablauf[ ]des|bis[ ]zum|bis[ ]einschließlich|befristet[ ]bis|vertragsende|läuft[ ]bis|laufzeitende|mietende)
    {_ON}
    """
)
_SIGNED_ON = r"[ ]{0,3}[:]?[ ]{0,3}(?:on|this|am|vom|den)?[ ]{0,3}(?:the[ ])?$"
_SIGNED_BEFORE = Pattern(
    rf"(?:signed|executed|dated|date[ ]of[ ]signature|unterzeichnet|unterschrieben|abgeschlossen|made|entered[ ]into){_SIGNED_ON}"
)
_PLACE_AND_DATE = Pattern(
    r"(?:^|\n|[ ]{2}|_[ ])[ ]{0,3}\p{Lu}[\pL.-]{1,24}(?:[ ]\p{Lu}[\pL-]{1,20})?,[ ]{1,2}(?:den[ ]|the[ ])?$",
    ignore_case=False,
)
_DATE_LABEL = Pattern(r"(?:^|\n|[ ]{2})[ ]{0,3}(?:date|datum|ort,[ ]?datum|place,[ ]?date)[ ]{0,2}:[ ]{0,4}$")
_NOT_OF_THE_CONTRACT = Pattern(
    r"born|under[ ]the|pursuant|original|geboren|geb[.]|amend|previous|prior[ ]agreement|rahmenvertrag[ ]vom|act[ ]of|gesetz|invoice|rechnung|registered[ ]on|notice|kündig|deliver|liefer|probation|probezeit"
)
_END_IN_PART = Pattern(
    r"(?:probezeit|probation|renewed|extended|option|payment|zahl|fällig|rate|invoice|available|notice|gekündigt)"
)

_NOTICE_NEAR = Pattern(r"notice|kündigungsfrist|frist[ ]von|gekündigt|kündig|aufgekündigt|préavis|terminate")
_NOTICE_IS = Pattern(
    r"(?:upon|with|on|giv(?:ing|es?)|by|least|less[ ]than|of|subject[ ]to|is|:|beträgt|einer|frist|kündigungsfrist|von)[ ]{1,4}(?:a[ ])?$"
)
_NOTICE_AFTER = Pattern(
    r"'?s?'?[ ]{1,4}(?:prior[ ]{1,3}|advance[ ]{1,3}|written[ ]{1,3}|previous[ ]{1,3}){0,3}notice|[ ](?:before|prior[ ]to)[ ](?:the[ ])?(?:expir|end[ ]of)"
)
_RENEWAL = Pattern(r"renew|extend|extension|successive|verläng|tacit|further[ ](?:term|period)|erneuer|weitere[rn]?")
_TERM = Pattern(
    r"(?:initial[ ]term|term[ ]of[ ](?:this|the)|for[ ]a[ ](?:fixed[ ]|minimum[ ]|initial[ ])?(?:term|period)|term[ ]shall|term[ ]is|term[ ]?:|valid[ ]for|continue[sd]?[ ]|remain[ ]in[ ](?:full[ ])?(?:force|effect)"
    r"|fixed[ ]term|laufzeit|vertragsdauer|mindestlaufzeit|für[ ]die[ ]dauer|auf[ ]die[ ]dauer|für[ ](?:eine[ ])?(?:feste[ ])?|dauer|befristet)"
)
_OTHER_SPANS = Pattern(
    r"confiden|geheim|vertraulich|surviv|warrant|gewähr|haft|pay|zahl|invoice|rechnung|cure|heil|remedy|breach|limitation|verjähr|non-compet|wettbewerb|probation|probezeit"
    r"|non-solicit|age|alter|deliver|liefer|vacation|urlaub|holiday|week[ ]|pro[ ]woche|interest|verzug|deposit|kaution|following[ ]the|nach[ ]beendigung|after[ ]the[ ](?:end|term|expir)"
)


def effective_dates(document: Document, readings: Readings) -> Iterator[Candidate]:
    yield from _dates(document, readings, _EFFECTIVE_BEFORE, "effective date", _EFFECTIVE_AFTER, 0.92)


def end_dates(document: Document, readings: Readings) -> Iterator[Candidate]:
    yield from _dates(document, readings, _END_BEFORE, "end date", None, 0.9)


def signing_dates(document: Document, readings: Readings) -> Iterator[Candidate]:
    yield from _dates(document, readings, _SIGNED_BEFORE, "signed", None, 0.85)
    for page, text, value in _dates_of(document, readings):
        in_front = text[max(0, value.start - 60) : value.start]
        is_late = page is document.pages[-1] and value.start > len(text) // 2
        if is_late and (_PLACE_AND_DATE.search(in_front) or _DATE_LABEL.search(in_front)):
            yield candidate(page, value.start, value.end, value.value, 0.86 * value.confidence, "signature")


def notice_periods(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for page, text, value in _spans(document):
        front, back = before(text, value.start), after(text, value.end)
        if not _is_notice(front, back) or _CURE.search(front + back[:80]):
            continue
        sure = 0.88
        if _PROBATION.search(front) and not _AFTER_PROBATION.search(front):
            sure = 0.4
        elif _RENEWAL.search(front):
            sure = 0.85
        yield candidate(page, value.start, value.end, value.value, sure * max(value.confidence, 0.7), "notice period")


def _is_notice(front: str, back: str) -> bool:
    if _NOTICE_AFTER.match(back):
        return True
    notice, renewal = _last(_NOTICE_NEAR, front), _last(_RENEWAL, front)
    return notice > renewal and len(front) - notice < _NEAR and _NOTICE_IS.search(front[-30:]) is not None


def _last(pattern: Pattern, text: str) -> int:
    """Where the last of the words stands; -1 where none does."""
    return max((match.start() for match in pattern.finditer(text)), default=-1)


_NEAR = 70
_PROBATION = Pattern(r"probation|probezeit")
_AFTER_PROBATION = Pattern(r"(?:after|following|nach)[ ](?:\pL{1,10}[ ]){0,3}(?:probation|probezeit)")
_CURE = Pattern(r"breach|cure|remed|insolven|verletz|wichtigem|abhilfe|payment|zahlung")


def renewal_terms(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for page, text, value in _spans(document):
        front, back = before(text, value.start), after(text, value.end)
        if _RENEWAL.search(front[-90:]) and not _is_notice(front, back) and not _NOTICE_WORDS.search(back[:30]):
            yield candidate(page, value.start, value.end, value.value, 0.88 * max(value.confidence, 0.7), "renewal")


_NOTICE_WORDS = Pattern(r"notice|frist|kündig|prior|vor[ ]ablauf|before[ ]the")


def terms(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for page, text, value in _spans(document):
        front, back = before(text, value.start), after(text, value.end)
        near = front[-70:]
        if (
            not _TERM.search(near)
            or _RENEWAL.search(near)
            or _OTHER_SPANS.search(front)
            or _NOTICE_WORDS.search(near + back[:40])
        ):
            continue
        yield candidate(page, value.start, value.end, value.value, 0.88 * value.confidence, "term")


_NO_RENEWAL = Pattern(
    r"(?:shall|will|does)[ ]not[ ](?:be[ ])?(?:automatically[ ])?renew|no[ ]automatic[ ]renewal|not[ ]renew[ ]automatically|verlängert[ ]sich[ ]nicht"
    r"|ohne[ ]dass[ ]es[ ]einer[ ]kündigung[ ]bedarf"
)
_AUTOMATIC_RENEWAL = Pattern(
    r"(?:shall|will)[ ](?:then[ ]|thereafter[ ])?(?:automatically[ ](?:renew|be[ ]renewed|be[ ]extended|extend)|(?:be[ ])?(?:renewed?|extended?)[ ]automatically)"
    r"|renews[ ]automatically|automatically[ ]renews?|verlängert[ ](?:er|sie|es)?[ ]?sich[ ](?:der[ ]vertrag[ ]|die[ ]laufzeit[ ]|dieser[ ]vertrag[ ])?(?:automatisch|stillschweigend|jeweils|um)"
)


def automatic_renewals(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for page in document.pages:
        text = flat(page)
        for match in _NO_RENEWAL.finditer(text):
            yield candidate(page, match.start(), match.end(), value=False, confidence=0.88, rule="no renewal")
        for match in _AUTOMATIC_RENEWAL.finditer(text):
            if "not " not in text[max(0, match.start() - 12) : match.start()]:
                yield candidate(page, match.start(), match.end(), value=True, confidence=0.9, rule="automatic renewal")


def _dates(
    document: Document, readings: Readings, cue: Pattern, name: str, cue_behind: Pattern | None, sure: float
) -> Iterable[Candidate]:
    for page, text, value in _dates_of(document, readings):
        front, back = before(text, value.start), after(text, value.end, 40)
        if not cue.search(front) and not (cue_behind and cue_behind.match(back)):
            continue
        is_doubtful = _NOT_OF_THE_CONTRACT.search(front) or (name == "end date" and _END_IN_PART.search(front + back))
        yield candidate(
            page, value.start, value.end, value.value, sure * value.confidence * (0.5 if is_doubtful else 1), name
        )


def _dates_of(document: Document, readings: Readings) -> Iterator[tuple[Page, str, FoundValue]]:
    for page in document.pages:
        text = flat(page)
        for value in readings.of(page, Kind.DATE):
            yield page, text, value


def _spans(document: Document) -> Iterator[tuple[Page, str, FoundValue]]:
    for page in document.pages:
        text = flat(page)
        for value in durations.find(text):
            yield page, text, value
