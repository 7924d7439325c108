"""Mail through a real SMTP server: what it takes, what it refuses, and how it is reached."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from integrations.mail_servers import Postbox, certificate, login, mail_server

from weft.domain.delivery import Delivery, DeliveryKind, DeliveryStatus
from weft.domain.errors import StartupError
from weft.domain.integration import EmailConfig, IntegrationType
from weft.integrations.mail import Mailer, MailServer, compose, mailbox

TO = ("ada@example.com", "bob@example.com")
CONFIG = EmailConfig(TO)


def delivery(**message: Any) -> Delivery:
    return Delivery(
        uuid4(), uuid4(), 1, DeliveryKind.MESSAGE, uuid4(), uuid4(), "mail", IntegrationType.EMAIL, uuid4(), 0, "say",
        message or {"subject": "Hello", "text": "It works."}, DeliveryStatus.SENDING, 1, None, 1, 0, None, None,
        datetime.now(UTC), None,
    )  # fmt: skip


def mailer(port: int, scheme: str = "smtp+insecure", user: str = "", tls: ssl.SSLContext | None = None) -> Mailer:
    return Mailer(MailServer.parse(f"{scheme}://{user}127.0.0.1:{port}", "weft@example.com"), tls)


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    async with mail_server(Postbox()) as box:
        yield box


async def test_a_mail_arrives_at_all_recipients_with_the_id_of_its_delivery(postbox: Postbox) -> None:
    sent = delivery()
    outcome = await mailer(postbox.port).send(CONFIG, sent)
    assert (outcome.arrived, outcome.status_code, outcome.excerpt) == (True, 250, "taken")
    (mail,) = postbox.mails
    assert postbox.envelopes == [("weft@example.com", list(TO))]
    assert (mail["From"], mail["To"], mail["Subject"]) == ("weft@example.com", ", ".join(TO), "Hello")
    assert mail["Message-ID"] == f"<{sent.id}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content() == "It works.\r\n"


async def test_subject_and_text_are_those_of_the_integration_with_the_values_of_the_message(postbox: Postbox) -> None:
    config = EmailConfig(TO, "Rechnung {{ number }} § {{ subject }}", "{{ message }}: {{ data.total }} €")
    sent = delivery(subject="geprüft", text="Ergebnis", data={"number": "R-7", "total": 12})
    assert (await mailer(postbox.port).send(config, sent)).arrived
    (mail,) = postbox.mails
    assert mail["Subject"] == "Rechnung R-7 § geprüft"
    assert mail.get_content().strip() == "Ergebnis: 12 €"


async def test_a_message_without_text_lists_its_values(postbox: Postbox) -> None:
    assert (await mailer(postbox.port).send(CONFIG, delivery(data={"number": "R-7", "lines": [1]}))).arrived
    assert postbox.mails[0].get_content().splitlines() == ["number: R-7", "lines: [1]"]


@pytest.mark.parametrize(
    "subject",
    [
        "Hi\r\nBcc: eve@example.com",
        "Hi\nX: y",
        "Hi\r\n\r\nbody",
        "Hi\u2028Bcc: e@x.y",
        "\x00\ud800Hi",
        "=?utf-8?q?Hi=0D=0ABcc:_eve=40example.com?=",
        "=?utf-8?b?SGkNClg6IHk=?= ==?utf-8?q?Hi=0D=0A=0D=0Abody?=",
    ],
)
async def test_no_subject_begins_another_header(postbox: Postbox, subject: str) -> None:
    assert (await mailer(postbox.port).send(CONFIG, delivery(subject=subject, text="x"))).arrived
    (mail,) = postbox.mails
    assert "Bcc" not in mail
    assert "X" not in mail
    assert postbox.envelopes[0][1] == list(TO)
    assert mail.get_content().strip() == "x"


async def test_a_line_with_a_dot_does_not_end_the_mail(postbox: Postbox) -> None:
    text = "one\n.\nMAIL FROM:<eve@example.com>\n..two"
    assert (await mailer(postbox.port).send(CONFIG, delivery(text=text))).arrived
    assert postbox.mails[0].get_content().replace("\r\n", "\n").strip() == text


async def test_a_refused_recipient_is_for_good_and_nobody_gets_the_mail(postbox: Postbox) -> None:
    postbox.refused = {"bob@example.com": "550 no such user"}
    outcome = await mailer(postbox.port).send(CONFIG, delivery())
    assert (outcome.final, outcome.error_code, outcome.status_code) == (True, "RECIPIENT_REFUSED", 550)
    assert "bob@example.com" in (outcome.error or "")
    assert outcome.excerpt == "no such user"
    assert postbox.mails == []


async def test_a_recipient_that_is_refused_for_now_is_tried_again(postbox: Postbox) -> None:
    postbox.refused = {"bob@example.com": "450 mailbox busy"}
    outcome = await mailer(postbox.port).send(CONFIG, delivery())
    assert (outcome.arrived, outcome.final, outcome.status_code) == (False, False, 450)


@pytest.mark.parametrize(("reply", "final"), [("451 try later", False), ("554 spam", True)])
async def test_a_refused_text_counts_by_its_reply(postbox: Postbox, reply: str, final: bool) -> None:
    postbox.data_reply = reply
    outcome = await mailer(postbox.port).send(CONFIG, delivery())
    assert (outcome.arrived, outcome.final, outcome.error_code) == (False, final, "MAIL_REFUSED")


async def test_a_login_that_is_refused_is_for_the_operator_to_put_right() -> None:
    options: dict[str, Any] = {"authenticator": login("weft", "p@ss"), "auth_require_tls": False}
    async with mail_server(Postbox(), **options) as box:
        wrong = await mailer(box.port, user="weft:wrong@").send(CONFIG, delivery())
        assert (wrong.final, wrong.error_code) == (False, "SMTP_LOGIN_FAILED")
        assert "wrong" not in f"{wrong.error}{wrong.excerpt}"
        assert (await mailer(box.port, user="weft:p%40ss@").send(CONFIG, delivery())).arrived


async def test_mail_goes_over_tls_from_the_start_and_by_starttls(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path)
    async with mail_server(Postbox(), tls_from_the_start=server) as box:
        assert (await mailer(box.port, "smtps", tls=trusting).send(CONFIG, delivery())).arrived
    async with mail_server(Postbox(), tls_context=server, require_starttls=True) as box:
        assert (await mailer(box.port, "smtp", tls=trusting).send(CONFIG, delivery())).arrived
        assert box.tls == [True]


async def test_a_certificate_that_nobody_vouches_for_stops_the_mail(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path)
    for scheme, options in (("smtps", {"tls_from_the_start": server}), ("smtp", {"tls_context": server})):
        async with mail_server(Postbox(), **options) as box:
            outcome = await mailer(box.port, scheme).send(CONFIG, delivery())
            assert (outcome.final, outcome.error_code) == (False, "TLS_FAILED"), scheme
            assert box.mails == []


async def test_a_server_without_tls_gets_nothing_where_tls_was_asked_for(postbox: Postbox) -> None:
    outcome = await mailer(postbox.port, "smtp").send(CONFIG, delivery())
    assert (outcome.arrived, outcome.final) == (False, False)
    assert postbox.mails == []


async def test_a_server_that_is_not_there_or_closes_is_tried_again() -> None:
    async with mail_server(Postbox()) as box:
        pass
    outcome = await mailer(box.port).send(CONFIG, delivery())
    assert (outcome.final, outcome.error_code) == (False, "NETWORK_FAULT")

    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        outcome = await mailer(server.sockets[0].getsockname()[1]).send(CONFIG, delivery())
    assert (outcome.final, outcome.error_code) == (False, "NETWORK_FAULT")


async def test_a_template_that_fails_on_this_message_is_for_good(postbox: Postbox) -> None:
    outcome = await mailer(postbox.port).send(EmailConfig(TO, template="{{ number }}"), delivery())
    assert (outcome.final, outcome.error_code) == (True, "TEMPLATE_FAILED")
    assert "number" in (outcome.error or "")
    assert postbox.mails == []


def test_the_same_delivery_gives_the_same_mail() -> None:
    sent, sender = delivery(), mailbox("weft@example.com")
    assert sender is not None
    assert compose(sender, CONFIG, sent).as_bytes() == compose(sender, CONFIG, sent).as_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "a@",
        "@b",
        "a@b\r\nc",
        "a@b, c@d",
        "Ada <a@b.de>",
        "a@b>",
        "ä@b.de",
        "a b@c.de",
        "a@b c",
        'a"b@c.de',
        "=?utf-8?q?a=0D=0AX=3A_b?=@c.de",
        "=?utf-8?q?a=0D=0AX=3A_b?=.d@c.de",
    ],
)
def test_what_is_no_plain_address_is_no_recipient(text: str) -> None:
    assert mailbox(text) is None


@pytest.mark.parametrize(
    "url", ["http://x", "smtp://", "mail.example.com", "smtp://h:port", "smtp://h/path", "smtp://[x"]
)
def test_a_wrong_mail_setting_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StartupError, match="WEFT_SMTP_URL has to look like"):
        MailServer.parse(url.replace("://", "://user:hunter2@"), "weft@example.com")
    with pytest.raises(StartupError, match="WEFT_MAIL_FROM has to be an address"):
        MailServer.parse("smtp://mail.example.com", "Weft")
