"""Keys as texts, and the secret key in its file."""

from pathlib import Path

import pytest

from weft.auth.keys import bearer, digest, looks_like_key, new_key
from weft.auth.secret_key import kept_secret_key
from weft.domain.errors import StartupError

SECRET = b"s" * 32


def test_a_new_key_is_recognised_and_found_by_its_digest() -> None:
    key = new_key(SECRET)
    assert looks_like_key(key.text)
    assert key.text.startswith(key.prefix)
    assert digest(key.text, SECRET) == key.digest
    assert digest(key.text, b"t" * 32) != key.digest


def test_no_two_keys_are_alike() -> None:
    assert len({new_key(SECRET).text for _ in range(100)}) == 100


def test_a_key_does_not_show_itself_in_logs() -> None:
    key = new_key(SECRET)
    assert key.text not in repr(key)


@pytest.mark.parametrize("text", ["", "weft_", "weft_" + "a" * 42, "weft_" + "a" * 44, "weft_" + "ä" * 43, "x" * 48])
def test_what_cannot_be_a_key_is_told_without_a_database(text: str) -> None:
    assert not looks_like_key(text)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("abc", None),
        ("Bearer ", None),
        (None, None),
    ],
)
def test_a_bearer_header_holds_a_token(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    made = kept_secret_key(path)
    assert kept_secret_key(path) == made
    assert len(made) >= 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    kept_secret_key(path)
    path.chmod(0o644)
    with pytest.raises(StartupError, match="chmod 600"):
        kept_secret_key(path)


def test_a_damaged_secret_key_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.touch(0o600)
    with pytest.raises(StartupError, match="holds no secret key"):
        kept_secret_key(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        kept_secret_key(tmp_path / "nowhere" / "secret.key")
