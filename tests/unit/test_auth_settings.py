"""Settings: what the environment says, and what is wrong with it."""

import pytest
from pydantic import ValidationError

from weft.app import create_app
from weft.domain.errors import StartupError
from weft.settings import Settings


def test_a_plain_postgres_url_means_our_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_DATABASE_URL", "postgres://u:p@db/weft")
    assert Settings().database_url == "postgresql+asyncpg://u:p@db/weft"


def test_origins_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    assert Settings().allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x"),
        ("REDIS_URL", "localhost"),
        ("SECRET_KEY", "short"),
        ("PORT", "http"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"WEFT_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_the_secret_key_does_not_show_itself() -> None:
    secret = "s" * 40
    assert secret not in repr(Settings.model_validate({"secret_key": secret}))


def test_the_api_names_what_it_needs_to_start() -> None:
    with pytest.raises(StartupError, match="WEFT_DATABASE_URL"):
        create_app(Settings())
    with pytest.raises(StartupError, match="WEFT_SECRET_KEY"):
        create_app(Settings.model_validate({"database_url": "postgresql://x/y", "redis_url": "redis://x"}))


def test_every_setting_says_what_it_is() -> None:
    assert all(meaning.endswith((".", "`")) or meaning for _, _, meaning in Settings.variables())
    assert ("WEFT_PORT", "8000", "Port that the API listens on; 0 for any free one.") in Settings.variables()
