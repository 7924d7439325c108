import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.auth.secrets import Secrets, SecretUnreadable, identity_of
from weft.domain.ids import new_id

KEY = b"a secret only for tests, 32 bytes"
BOX = Secrets(KEY)


@given(st.binary(max_size=2_000), st.text(max_size=100))
def test_what_was_sealed_is_opened_for_the_same_row(secret: bytes, identity: str) -> None:
    assert BOX.open(BOX.seal(secret, identity), identity) == secret


def test_sealing_the_same_twice_gives_nothing_to_compare() -> None:
    assert BOX.seal(b"password", "row") != BOX.seal(b"password", "row")


def test_a_secret_moved_to_another_row_or_workspace_opens_nothing() -> None:
    workspace, row = new_id(), new_id()
    sealed = BOX.seal(b"password", identity_of("integration", workspace, row))

    for table, owner, other in (
        ("integration", workspace, new_id()),
        ("integration", new_id(), row),
        ("datastore", workspace, row),
    ):
        with pytest.raises(SecretUnreadable, match="another row"):
            BOX.open(sealed, identity_of(table, owner, other))


def test_another_secret_key_is_told_from_a_tampered_record() -> None:
    sealed = BOX.seal(b"password", "row")

    with pytest.raises(SecretUnreadable, match="another WEFT_SECRET_KEY"):
        Secrets(b"another secret for tests, 32 bytes").open(sealed, "row")
    with pytest.raises(SecretUnreadable, match="tampered"):
        BOX.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "row")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02" + bytes(40), b"password in the clear"])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        BOX.open(sealed, "row")
