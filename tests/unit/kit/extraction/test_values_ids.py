"""Addresses, numbers with check digits, names and places in text."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.kit.extraction.values import ibans, languages, mails, persons, phones, places, urls, vat_ids

SURE = 0.8


@pytest.mark.parametrize(
    "text",
    [
        "IBAN: DE89 3704 0044 0532 0130 00 BIC COBADEFF",
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
        "an NL91ABNA0417164300.",
    ],
)
def test_an_iban_with_the_right_check_digits_is_found(text: str) -> None:
    (found,) = ibans.find(text)
    assert found.value in text.replace(" ", "")
    assert ibans.is_valid(found.value)
    assert found.value[:2] == found.extra["country"]


@given(place=st.integers(0, 19), other=st.sampled_from("0123456789"))
def test_one_wrong_digit_makes_it_no_iban(place: int, other: str) -> None:
    right = "DE89370400440532013000"
    wrong = right[: place + 2] + other + right[place + 3 :]
    assert bool(ibans.find(wrong)) is (wrong == right)


@given(country=st.sampled_from(sorted(ibans.LENGTH_BY_COUNTRY)), data=st.data())
def test_the_iban_of_every_country_comes_back(country: str, data: st.DataObject) -> None:
    body = data.draw(
        st.text(
            "0123456789", min_size=ibans.LENGTH_BY_COUNTRY[country] - 4, max_size=ibans.LENGTH_BY_COUNTRY[country] - 4
        )
    )
    rest = int("".join(str(int(character, 36)) for character in f"{body}{country}00")) % 97
    value = f"{country}{98 - rest:02}{body}"
    grouped = " ".join(value[place : place + 4] for place in range(0, len(value), 4))
    assert [found.value for found in ibans.find(f"to {grouped}, please")] == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("USt-IdNr.: DE136695976", "DE136695976"),
        ("DE 136 695 976", "DE136695976"),
        ("ATU12345678", "ATU12345678"),
        ("BE0403.019.261", "BE0403019261"),
        ("FR40303265045", "FR40303265045"),
        ("IT00743110157", "IT00743110157"),
        ("NL 123456789B01", "NL123456789B01"),
    ],
)
def test_a_vat_number_of_the_right_format_is_found(text: str, value: str) -> None:
    (found,) = vat_ids.find(text)
    assert found.value == value
    assert found.confidence >= SURE


def test_a_vat_number_with_wrong_check_digits_is_not_believed() -> None:
    (found,) = vat_ids.find("DE136695977")
    assert found.confidence < 0.5


def test_an_iban_is_no_vat_number() -> None:
    assert vat_ids.find("DE89 3704 0044 0532 0130 00, DE89370400440532013000") == []


@pytest.mark.parametrize(
    ("text", "value", "country"),
    [
        ("Tel: +49 30 1234567", "+49301234567", None),
        ("+1 (415) 555-2671 ext. 12", "+14155552671", None),
        ("00 44 20 7946 0018", "+442079460018", None),
        ("Telefon 030/901820", "+4930901820", "DE"),
        ("Mobil: +49 (0)151 23456789", "+4915123456789", None),
    ],
)
def test_a_phone_number_is_written_as_the_world_dials_it(text: str, value: str, country: str | None) -> None:
    (found,) = phones.find(text, country=country)
    assert found.value == value
    assert found.confidence >= SURE


@pytest.mark.parametrize("text", ["31.01.2024", "1.234.567,89", "1234567890123", "+99 123", "Order 4155552671"])
def test_other_numbers_are_no_phone_numbers(text: str) -> None:
    assert [found for found in phones.find(text) if found.confidence >= 0.5] == []


@given(region=st.sampled_from(["DE", "US", "GB", "FR", "NL", "IT", "ES", "PT", "CH", "AT", "JP", "BR"]))
def test_the_example_number_of_a_country_comes_back(region: str) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    (found,) = phones.find(f"call {written} now")
    assert found.value == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_mail_addresses_are_found_between_punctuation() -> None:
    text = "mailto:jane.doe@Example.COM, <a@b.co.uk>. a..b@c.de x@y@z.de jane(at)example.com"
    assert [found.value for found in mails.find(text)] == ["jane.doe@example.com", "a@b.co.uk", "jane@example.com"]


@given(st.emails(domains=st.sampled_from(["example.com", "mail.example.co.uk"])))
def test_a_usual_mail_address_comes_back(address: str) -> None:
    local = address.partition("@")[0]
    is_usual = local[0].isalnum() and not set(local) - set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+'-"
    )
    found = [found.value for found in mails.find(f"Write to {address} today")]
    assert found == ([address] if is_usual else found)


def test_web_addresses_lose_the_punctuation_of_the_sentence() -> None:
    text = "See (https://example.com/a(b)c). www.weft.dev, github.com/jane; jane@ex.com/foo and/or http:// 5.3/2"
    assert [found.value for found in urls.find(text)] == [
        "https://example.com/a(b)c",
        "https://www.weft.dev",
        "https://github.com/jane",
    ]


def test_countries_are_found_by_their_names_in_several_languages() -> None:
    text = "Berlin, Germany; Vereinigtes Königreich, the United States of America. Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire, Italia, Georgia"
    found = places.find(text)
    assert [one.value for one in found] == ["DE", "GB", "US", "CI", "IT", "GE"]
    assert found[-1].confidence < SURE


def test_languages_are_found_by_their_names() -> None:
    assert [found.value for found in languages.find("Deutsch, English C1 and Französisch")] == ["de", "en", "fr"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Jane van der Berg\nSoftware Engineer\nDr. Max Müller, Geschäftsführer", ["Jane van der Berg", "Max Müller"]),
        ("Curriculum Vitae\nAnna-Lena Schmidt", ["Anna-Lena Schmidt"]),
        ("represented by Mr. John O'Neil and", ["John O'Neil"]),
        ("ACME GMBH\nBaker Street\nTotal Amount", []),
    ],
)
def test_names_of_persons_are_guesses(text: str, names: list[str]) -> None:
    found = persons.find(text)
    assert [one.value for one in found] == names
    assert all(one.confidence < SURE for one in found)
