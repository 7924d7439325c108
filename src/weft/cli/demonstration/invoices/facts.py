"""What the invoices of the demo say. All of it is made up, from a fixed seed: the same invoices every time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Seller:
    name: str
    address: tuple[str, str]
    language: str
    currency: str
    vat_id: str
    iban: str
    tax_percent: int
    series: str
    """How its invoice numbers look: `{n}` is the running number, `{y}` the year."""


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Invoice:
    seller: Seller
    buyer: tuple[str, str, str]
    number: str
    order: str
    day: date
    due: date
    lines: tuple[Line, ...]

    @property
    def net(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal())

    @property
    def tax(self) -> Decimal:
        return (self.net * self.seller.tax_percent / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


SELLERS = (
    Seller(
        "Harbour Light Ltd", ("14 Quay Street", "Bristol BS1 4QA"), "en", "GBP",
        "GB980780684", "GB33BUKB20201555555555", 20, "HL-{y}-{n:04}",
    ),
    Seller(
        "Nordwind Werkzeugbau GmbH", ("Hafenstraße 8", "24103 Kiel"), "de", "EUR",
        "DE136695976", "DE89370400440532013000", 19, "RE{y}{n:05}",
    ),
    Seller(
        "Atelier Garonne SARL", ("22 rue des Lilas", "33000 Bordeaux"), "fr", "EUR",
        "FR40303265045", "FR1420041010050500013M02606", 20, "F{y}/{n:03}",
    ),
    Seller(
        "Tulp & Zonen B.V.", ("Keizersgracht 310", "1016 EX Amsterdam"), "nl", "EUR",
        "NL004495445B01", "NL91ABNA0417164300", 21, "{y}{n:04}",
    ),
    Seller(
        "Talleres del Mar S.L.", ("Calle Mayor 5", "46001 Valencia"), "es", "EUR",
        "ESB58378431", "ES9121000418450200051332", 21, "FV-{n:05}",
    ),
    Seller(
        "Prairie Software Inc.", ("500 Grand Avenue", "Des Moines, IA 50309"), "en-US", "USD",
        "", "", 7, "INV-{n:06}",
    ),
)  # fmt: skip
_BUYERS = (
    ("Weaver & Daughters", "3 Loom Lane", "Leeds LS1 5PQ"),
    ("Stadtwerke Muster AG", "Am Markt 1", "99084 Erfurt"),
    ("Boulangerie Petit", "9 place du Puits", "69001 Lyon"),
    ("De Vries Logistiek", "Havenweg 77", "3011 Rotterdam"),
)
_GOODS = {
    "en": ("Tarred rope, 20 m", "Brass lantern", "Deck paint, 5 l", "Mooring service", "Inspection"),
    "en-US": ("Annual licence", "Support hours", "Onboarding workshop", "Data migration", "Hosting"),
    "de": ("Fräskopf 12 mm", "Spannzange", "Wartung der Anlage", "Schmierstoff 1 l", "Anfahrt"),
    "fr": ("Table en chêne", "Chaise pliante", "Vernis mat", "Livraison", "Montage"),
    "nl": ("Tulpenbollen, 100 stuks", "Houten kist", "Snoeischaar", "Bezorging", "Advies"),
    "es": ("Reparación de motor", "Filtro de aceite", "Pintura naval", "Mano de obra", "Transporte"),
}
_FIRST_DAY = date(2024, 1, 8)


def invoices(count: int, seed: int = 1) -> Iterator[Invoice]:
    chance = Random(seed)  # noqa: S311 - a demo, not a secret
    for index in range(count):
        seller = SELLERS[index % len(SELLERS)]
        day = _FIRST_DAY + timedelta(days=chance.randrange(600))
        yield Invoice(
            seller=seller,
            buyer=chance.choice(_BUYERS),
            number=seller.series.format(y=day.year, n=100 + index),
            order=f"{chance.randrange(10_000, 99_999)}",
            day=day,
            due=day + timedelta(days=chance.choice((14, 30, 60))),
            lines=tuple(_line(chance, text) for text in chance.sample(_GOODS[seller.language], chance.randrange(1, 6))),
        )


def _line(chance: Random, text: str) -> Line:
    return Line(text, chance.randrange(1, 12), Decimal(chance.randrange(350, 190_000)) / 100)
