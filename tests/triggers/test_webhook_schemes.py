"""How calls of inbound webhooks prove where they come from: the vendors' own examples, and everything that is almost one."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from weft.domain.errors import Invalid
from weft.domain.webhooks import WebhookScheme
from weft.triggers.webhooks import SCHEMES, Scheme
from weft.triggers.webhooks.contents import body_of, headers_of, query_of
from weft.triggers.webhooks.scheme import Headers, Reply, hash_of, is_genuine

STANDARD, GITHUB = SCHEMES[WebhookScheme.STANDARD], SCHEMES[WebhookScheme.GITHUB]
SLACK, STRIPE = SCHEMES[WebhookScheme.SLACK], SCHEMES[WebhookScheme.STRIPE]

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT = 1614265330
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_CALL = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(SENT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_CALL = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    b"803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SENT = 1531420618
SLACK_CALL = {
    "x-slack-request-timestamp": str(SLACK_SENT),
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "content-type": "application/x-www-form-urlencoded",
}
STRIPE_SECRET = "a secret of Stripe's"
STRIPE_BODY = b'{"id": "evt_123", "object": "event"}'


def genuine(
    scheme: Scheme, secret: str, headers: Headers, body: bytes, now: float, *more: str, tolerance: int = 300
) -> bool:
    keys = [scheme.key_of(one) for one in (secret, *more)]
    assert None not in keys
    return is_genuine(scheme.claim(headers), [key for key in keys if key], body, now, tolerance)


def stripe_call(*secrets: str, sent: int = SENT, body: bytes = STRIPE_BODY) -> dict[str, str]:
    signed = f"{sent}.".encode() + body
    signatures = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in secrets]
    return {"stripe-signature": ",".join([f"t={sent}", "v0=6ffbb59b2300aae6", *(f"v1={one}" for one in signatures)])}


EXAMPLES = [
    pytest.param(STANDARD, STANDARD_SECRET, STANDARD_CALL, STANDARD_BODY, SENT, id="standard"),
    pytest.param(GITHUB, GITHUB_SECRET, GITHUB_CALL, b"Hello, World!", 0, id="github"),
    pytest.param(SLACK, SLACK_SECRET, SLACK_CALL, SLACK_BODY, SLACK_SENT, id="slack"),
    pytest.param(STRIPE, STRIPE_SECRET, stripe_call(STRIPE_SECRET), STRIPE_BODY, SENT, id="stripe"),
]
TIMED = [example for example in EXAMPLES if example.id != "github"]


@pytest.mark.parametrize(("scheme", "secret", "headers", "body", "now"), EXAMPLES)
def test_the_published_example_is_genuine(
    scheme: Scheme, secret: str, headers: dict[str, str], body: bytes, now: int
) -> None:
    assert genuine(scheme, secret, headers, body, now)


@pytest.mark.parametrize(("scheme", "secret", "headers", "body", "now"), EXAMPLES)
def test_what_differs_in_anything_that_was_signed_is_not(
    scheme: Scheme, secret: str, headers: dict[str, str], body: bytes, now: int
) -> None:
    assert not genuine(scheme, secret, headers, body + b" ", now)
    assert not genuine(scheme, secret, headers, b"", now)
    other = "whsec_" + base64.b64encode(b"another secret, of 32 characters").decode()
    assert not genuine(scheme, other, headers, body, now)
    assert not genuine(scheme, secret, {}, body, now)
    for name, value in headers.items():
        if name != "content-type":
            changed = value[:-2] + ("0" if value[-2] != "0" else "1") + value[-1]
            assert not genuine(scheme, secret, headers | {name: changed}, body, now), name
            assert not genuine(scheme, secret, headers | {name: ""}, body, now), name


@pytest.mark.parametrize(("scheme", "secret", "headers", "body", "now"), EXAMPLES)
def test_a_call_of_one_scheme_is_none_of_another(
    scheme: Scheme, secret: str, headers: dict[str, str], body: bytes, now: int
) -> None:
    for other in SCHEMES.values():
        if other is not scheme and (key := other.key_of(secret)) is not None:
            assert not is_genuine(other.claim(headers), [key], body, now, 300)


@pytest.mark.parametrize(("scheme", "secret", "headers", "body", "now"), TIMED)
def test_a_time_counts_within_the_window_on_either_side(
    scheme: Scheme, secret: str, headers: dict[str, str], body: bytes, now: int
) -> None:
    found = {
        offset: genuine(scheme, secret, headers, body, now + offset, tolerance=60) for offset in (-61, -60, 0, 60, 61)
    }
    assert found == {-61: False, -60: True, 0: True, 60: True, 61: False}


@pytest.mark.parametrize(("scheme", "secret", "headers", "body", "now"), EXAMPLES)
def test_nothing_is_genuine_where_nobody_has_a_key(
    scheme: Scheme, secret: str, headers: dict[str, str], body: bytes, now: int
) -> None:
    assert scheme.key_of(secret) is not None
    assert not is_genuine(scheme.claim(headers), (), body, now, 300)


def test_while_a_secret_changes_either_counts_on_both_sides() -> None:
    new = "whsec_" + base64.b64encode(b"the new secret, of 32 characters").decode()
    assert genuine(STANDARD, new, STANDARD_CALL, STANDARD_BODY, SENT, STANDARD_SECRET)
    several = {"webhook-signature": f"v1a,hnO3f9T8Ytu9 v2,x v1,AAAA {STANDARD_CALL['webhook-signature']}"}
    assert genuine(STANDARD, STANDARD_SECRET, STANDARD_CALL | several, STANDARD_BODY, SENT)
    assert genuine(STRIPE, STRIPE_SECRET, stripe_call("the one before it", STRIPE_SECRET), STRIPE_BODY, SENT)


def test_what_the_reference_library_signs_is_genuine() -> None:
    assert STANDARD.new_secret is not None
    secret, body = STANDARD.new_secret(), '{"grüße": "welt"}'
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    assert genuine(STANDARD, secret, headers, body.encode(), now.timestamp())


def test_the_example_of_stripes_own_test_libraries_is_genuine() -> None:
    """The event and the signature of stripe-dotnet's tests, whose secret is shorter than we let people choose."""
    body = STRIPE_EXAMPLE.encode()
    claimed = STRIPE.claim({"stripe-signature": STRIPE_EXAMPLE_SIGNATURE})
    assert is_genuine(claimed, [b"webhook_secret"], body, 1533204620, 300)
    assert not is_genuine(claimed, [b"webhook_secret"], body.strip(), 1533204620, 300)


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-timestamp": "1614265330.0"},
        {"webhook-timestamp": "+1614265330"},
        {"webhook-timestamp": "01614265330"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-id": ""},
        {"webhook-id": "x" * 300},
        {"webhook-signature": "v1," + "A" * 100_000},
        {"webhook-signature": "v1,\xff\xfe"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": " ".join(["v1,AAAA"] * 100 + [STANDARD_CALL["webhook-signature"]])},
    ],
)
def test_odd_headers_are_just_not_genuine(headers: dict[str, str]) -> None:
    assert not genuine(STANDARD, STANDARD_SECRET, STANDARD_CALL | headers, STANDARD_BODY, SENT)


def test_an_id_with_a_full_stop_is_refused_since_a_part_of_the_body_could_pass_for_the_time() -> None:
    assert STANDARD.new_secret is not None
    secret, body = STANDARD.new_secret(), f"{SENT}.rest"
    key = STANDARD.key_of(secret) or b""

    def signed(message_id: str, sent: int, rest: str) -> str:
        digest = hmac.new(key, f"{message_id}.{sent}.{rest}".encode(), hashlib.sha256).digest()
        return "v1," + base64.b64encode(digest).decode()

    signature = signed("msg", 1, body)
    shifted = {"webhook-id": "msg.1", "webhook-timestamp": str(SENT), "webhook-signature": signature}
    assert signature == signed("msg.1", SENT, "rest")
    assert not genuine(STANDARD, secret, shifted, b"rest", SENT)


@given(
    st.dictionaries(st.sampled_from(sorted({*STANDARD_CALL, *GITHUB_CALL, *SLACK_CALL, "stripe-signature"})), st.text())
)
def test_no_headers_make_a_scheme_stumble(headers: dict[str, str]) -> None:
    for scheme in SCHEMES.values():
        latin = {name: value.encode("latin-1", errors="replace").decode("latin-1") for name, value in headers.items()}
        assert not is_genuine(scheme.claim(latin), [b"k" * 32], b"body", SENT, 300)


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        (STANDARD, "whsec_"),
        (STANDARD, "whsec_c2hvcnQ="),
        (STANDARD, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        (STANDARD, "whsec_not base64!"),
        (GITHUB, "too short"),
        (SLACK, "x" * 257),
        (STRIPE, "with a\nline break in it"),
        (STRIPE, "mit Umläuten, aber lang"),
    ],
)
def test_a_secret_has_to_be_one_of_its_scheme(scheme: Scheme, secret: str) -> None:
    assert scheme.key_of(secret) is None


def test_a_secret_made_here_is_one_of_its_scheme() -> None:
    for scheme in (STANDARD, GITHUB):
        assert scheme.new_secret is not None
        assert len(scheme.key_of(scheme.new_secret()) or b"") >= 32


def id_of(scheme: Scheme, headers: Headers, body: Any) -> str:
    return scheme.id_of(headers, body, hash_of(scheme.claim(headers), b"body"))


def test_the_same_call_sent_again_has_the_same_id() -> None:
    assert id_of(STANDARD, STANDARD_CALL, None) == STANDARD_CALL["webhook-id"]
    assert id_of(GITHUB, {"x-github-delivery": "72d3162e"}, None) == "72d3162e"
    assert id_of(SLACK, SLACK_CALL, {"event_id": "Ev08MFMKH6"}) == "Ev08MFMKH6"
    assert id_of(STRIPE, stripe_call(STRIPE_SECRET), {"id": "evt_1"}) == "evt_1"


def test_a_call_without_an_id_is_known_by_what_was_signed() -> None:
    now, later = SLACK_CALL, SLACK_CALL | {"x-slack-request-timestamp": str(SLACK_SENT + 1)}
    assert id_of(SLACK, now, {"command": "/x"}) == id_of(SLACK, now, {"command": "/x"})
    assert id_of(SLACK, now, {"command": "/x"}) != id_of(SLACK, later, {"command": "/x"})
    assert id_of(GITHUB, GITHUB_CALL, None) == id_of(GITHUB, GITHUB_CALL, None) == hashlib.sha256(b"body").hexdigest()


def test_slack_gets_its_challenge_back_and_shows_people_nothing_of_ours() -> None:
    as_json = {"content-type": "application/json"}
    asked = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    assert SLACK.handshake(as_json, asked) == Reply(asked["challenge"].encode())
    assert SLACK.handshake(as_json, {"type": "event_callback"}) is None
    assert SLACK.handshake(SLACK_CALL, asked) is None
    assert SLACK.accepted(SLACK_CALL, {}) == Reply(b"")
    assert SLACK.accepted(as_json, {}) is None


def test_githubs_ping_only_tries_the_url() -> None:
    assert GITHUB.handshake({"x-github-event": "ping"}, {"zen": "Keep it logically awesome."}) is not None
    assert GITHUB.handshake({"x-github-event": "push"}, {}) is None


@pytest.mark.parametrize(
    ("content_type", "body", "read"),
    [
        ("application/json", b'{"a": [1, 2.5, null, "\xc3\xbc"]}', {"a": [1, 2.5, None, "ü"]}),
        ("application/cloudevents+json; charset=utf-8", b"[]", []),
        ("", b'{"a": 1}', {"a": 1}),
        ("", b"plain words", "plain words"),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("application/json", b"", None),
        ("application/x-www-form-urlencoded", b"a=1&b=&a=2&c=%C3%BC", {"a": ["1", "2"], "b": "", "c": "ü"}),
        (
            "application/x-www-form-urlencoded",
            b"payload=%7B%22type%22%3A%22block_actions%22%7D",
            {"type": "block_actions"},
        ),
        ("application/x-www-form-urlencoded", b"payload=words", {"payload": "words"}),
    ],
)
def test_a_body_is_read_as_what_it_says_it_is(content_type: str, body: bytes, read: Any) -> None:
    assert body_of({"content-type": content_type}, body) == read


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        ("application/json", b"{", "no JSON"),
        ("application/json", b'{"a": NaN}', "no JSON"),
        ("application/json", b'"\\ud800"', "no JSON"),
        ("application/json", b'{"a": "x\\u0000"}', "NUL"),
        ("application/json", b"[" * 150 + b"]" * 150, "levels deep"),
        ("application/json", b"[" * 100_000, "no JSON"),
        ("", b"\xff\xfe\x00", "neither JSON nor text"),
        ("text/plain", b"a\0b", "character that is none"),
        ("application/x-www-form-urlencoded", b"a=%00", "character that is none"),
        ("application/x-www-form-urlencoded", b"a=%ff", "UTF-8"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 2_000), "at most 1,000 fields"),
        ("application/x-www-form-urlencoded", b"payload=%22%5Cu0000%22", "NUL"),
    ],
)
def test_a_body_that_cannot_be_kept_is_told_why(content_type: str, body: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        body_of({"content-type": content_type}, body)


def test_many_brackets_are_not_depth() -> None:
    assert body_of({}, b"[" + b"{}," * 500 + b"{}]") == [{}] * 501


def test_of_the_headers_only_harmless_ones_are_seen() -> None:
    sent = GITHUB_CALL | {
        "authorization": "Bearer x", "cookie": "y", "x-github-event": "push", "user-agent": "GitHub-Hookshot/044aadd",
        "content-type": "application/json", "x-forwarded-for": "192.0.2.1",
    }  # fmt: skip
    seen = headers_of(sent, GITHUB.passed_on)
    assert seen == {
        "x-github-event": "push",
        "user-agent": "GitHub-Hookshot/044aadd",
        "content-type": "application/json",
    }
    for scheme in SCHEMES.values():
        assert not {name for name in scheme.passed_on if "signature" in name}
    with pytest.raises(Invalid, match="user-agent is longer"):
        headers_of({"user-agent": "x" * 1_001}, frozenset())


def test_a_query_is_read_by_name_and_bounded() -> None:
    assert query_of(b"") == {}
    assert query_of(b"team=a&team=b&empty=&name=%C3%BC") == {"team": ["a", "b"], "empty": "", "name": "ü"}
    for wrong in (b"a=%00", b"a=%ff", b"&".join([b"a=1"] * 101), b"a=" + b"x" * 8_000):
        with pytest.raises(Invalid):
            query_of(wrong)


STRIPE_EXAMPLE = """\
{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "ii_123",
      "object": "invoiceitem",
      "amount": 1000,
      "currency": "usd",
      "customer": "cus_123",
      "date": 1533204620,
      "description": "Test Invoice Item",
      "discountable": false,
      "invoice": "in_123",
      "livemode": false,
      "metadata": {},
      "period": {
        "start": 1533204620,
        "end": 1533204620
      },
      "plan": null,
      "proration": false,
      "quantity": null,
      "subscription": null
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "invoiceitem.created"
}
"""
STRIPE_EXAMPLE_SIGNATURE = (
    "t=1533204620,v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613,"
    "v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef"
)
