"""The links of inbound webhooks: only what this server gave out is one."""

import base64

from weft.auth.hook_links import hook_token, trigger_id_of
from weft.domain.ids import new_id

KEY = b"a secret only for tests, 32 bytes"


def test_a_link_names_its_trigger() -> None:
    trigger_id = new_id()
    token = hook_token(trigger_id, KEY)
    assert token == hook_token(trigger_id, KEY)
    assert trigger_id_of(token, KEY) == trigger_id
    assert len(base64.urlsafe_b64decode(token)) == 16 + 26


def test_whatever_else_is_no_link() -> None:
    token = hook_token(new_id(), KEY)
    assert trigger_id_of(token, b"the key of another server, 32 byte") is None
    for position in range(len(token)):
        other = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert trigger_id_of(other, KEY) is None
    for wrong in ("", token[:-1], f"{token}A", token.replace(token[3], "!"), "ü" * len(token), "=" * len(token)):
        assert trigger_id_of(wrong, KEY) is None
