"""What the values of the built-in rule sets are called elsewhere."""

import re
from collections.abc import Mapping
from functools import cache

from weft.kit.extraction.sets import NAMES, built_in

_SEPARATORS = re.compile(r"[^0-9a-z]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_OTHERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "invoice": {
        "number": ("invoice number", "invoice no", "invoice nr", "invoice id"),
        "date": ("invoice date", "issue date", "date of issue"),
        "dueDate": ("payment due date", "due on", "payment due"),
        "total": (
            "total amount",
            "invoice total",
            "grand total",
            "amount",
            "amount total",
            "total due",
            "gross amount",
        ),
        "net": ("subtotal", "net amount", "net total"),
        "tax": ("tax amount", "total tax", "vat", "vat amount"),
        "currency": ("currency code",),
        "issuer": ("vendor", "vendor name", "supplier", "supplier name", "seller", "seller name", "issuer name"),
        "issuerVatId": ("vat id", "vat number", "tax id", "vendor vat id", "supplier vat id", "seller vat id"),
        "recipient": ("customer", "customer name", "buyer", "buyer name", "client name", "bill to", "recipient name"),
        "iban": ("bank account", "account number"),
        "lines": ("line items", "items", "invoice lines", "positions"),
    },
    "contract": {
        "title": ("contract title", "contract name"),
        "parties": ("contract parties", "contracting parties"),
        "effectiveDate": ("start date", "commencement date"),
        "signingDate": ("signature date", "signed on", "date signed"),
        "endDate": ("expiration date", "expiry date", "termination date"),
        "term": ("contract term", "duration"),
        "autoRenews": ("auto renewal", "automatic renewal"),
        "renewalTerm": ("renewal period",),
        "noticePeriod": ("termination notice", "notice"),
        "governingLaw": ("applicable law",),
        "jurisdiction": ("venue", "place of jurisdiction"),
    },
    "resume": {
        "name": ("full name", "candidate", "candidate name"),
        "mail": ("email", "e mail", "email address"),
        "phone": ("phone number", "telephone", "mobile"),
        "location": ("address", "city"),
        "links": ("urls", "profiles", "websites"),
        "skills": ("skill set",),
        "positions": ("experience", "work experience", "employment", "jobs", "work history"),
        "education": ("degrees", "studies"),
    },
}


def path_in(rule_set: str, name: str) -> str | None:
    """The value of the rule set that is meant by a name, however its words are joined; None where there is none."""
    return _paths(rule_set).get(_plain(name))


def meant_by(names: tuple[str, ...]) -> str | None:
    """The rule set that knows most of the names; None where none knows any. Of equals, an invoice is the most likely."""
    known = {one: sum(path_in(one, name) is not None for name in names) for one in ("invoice", *NAMES)}
    best = max(known, key=lambda one: known[one])
    return best if known[best] else None


@cache
def _paths(rule_set: str) -> Mapping[str, str]:
    others = {_plain(name): path for path, names in _OTHERS[rule_set].items() for name in names}
    return others | {_plain(path): path for path in built_in(rule_set).fields}


def _plain(name: str) -> str:
    """`invoice_number`, `invoiceNumber` and `Invoice number` alike."""
    return _SEPARATORS.sub("", _HUMP.sub(" ", name).casefold())
