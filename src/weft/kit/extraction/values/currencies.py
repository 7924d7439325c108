"""Currencies as people write them: ISO codes, symbols, words. Those that several countries share are named as such."""

from functools import cache

from babel.numbers import list_currencies

_SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",), "£": ("GBP",), "₹": ("INR",), "₽": ("RUB",), "₺": ("TRY",), "₩": ("KRW",), "₪": ("ILS",), "₴": ("UAH",),
    "฿": ("THB",), "₫": ("VND",), "₱": ("PHP",), "₦": ("NGN",), "zł": ("PLN",), "kč": ("CZK",), "r$": ("BRL",), "円": ("JPY",),
    "元": ("CNY",), "us$": ("USD",), "u$s": ("USD",), "c$": ("CAD",), "ca$": ("CAD",), "a$": ("AUD",), "au$": ("AUD",),
    "nz$": ("NZD",), "hk$": ("HKD",), "s$": ("SGD",), "mx$": ("MXN",), "sfr.": ("CHF",), "sfr": ("CHF",), "fr.": ("CHF",),
    "ft": ("HUF",), "лв": ("BGN",),
    "$": ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN"), "¥": ("JPY", "CNY"), "￥": ("JPY", "CNY"),
    "kr": ("SEK", "NOK", "DKK", "ISK"), "kr.": ("DKK", "SEK", "NOK", "ISK"), "rs.": ("INR", "PKR", "LKR"), "rs": ("INR", "PKR", "LKR"),
    "euro": ("EUR",), "euros": ("EUR",), "franken": ("CHF",), "pounds sterling": ("GBP",), "us dollars": ("USD",),
    "u.s. dollars": ("USD",), "dollars": ("USD", "CAD", "AUD", "NZD", "HKD", "SGD"),
}  # fmt: skip

_ALSO_IN_SMALL_LETTERS = {"EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "CAD", "AUD"}
"""The other codes are too often words: all, top, try."""

LONGEST_SPELLING = max(map(len, _SIGNS))


@cache
def codes() -> frozenset[str]:
    return frozenset(code for code in list_currencies() if code not in {"XXX", "XTS"})


def meant_by(written: str) -> tuple[str, ...]:
    """The currencies that the spelling may mean, the likeliest first; empty where it is none."""
    code = written.upper()
    if code in codes():
        return (code,) if written.isupper() or code in _ALSO_IN_SMALL_LETTERS else ()
    return _SIGNS.get(written.casefold(), ())
