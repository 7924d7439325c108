"""Messages by mail, through the SMTP server of the operator.

`smtp://` begins in the clear and turns to TLS before anything is said (STARTTLS, required), `smtps://` is TLS from the start,
`smtp+insecure://` is neither: for a server on the same machine. What a workspace decides is who gets the mail and what
stands in it, never where the connection goes.

A mail goes to all of its recipients or to none: one that is refused ends the attempt before the text is sent, so that
trying again doubles the mail for nobody. The Message-ID is made of the delivery's id, the same at every attempt.

A reply of 5xx to a sender, a recipient or a text is for good (RFC 5321, 4.2.1); what is wrong with the connection, the
certificate or the login is for the operator to put right, and worth another attempt.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from weft.domain.delivery import AttemptOutcome, Delivery, arrived, postponed, refused
from weft.domain.errors import StartupError
from weft.domain.integration import EmailConfig
from weft.integrations.messages import EXCERPT_CHARACTERS, subject_of_message, text_of_message
from weft.kit.liquid import LiquidRenderError, LiquidSyntaxProblemError, compile_liquid
from weft.kit.storable import storable

TIMEOUT = timedelta(seconds=25)
"""Of the whole exchange."""
LONGEST_SUBJECT = 250
DEFAULT_SUBJECT = "A message from Weft"
LONGEST_ADDRESS = 254
"""RFC 3696, erratum 1690."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_PERMANENT = 500
_SECURITY: dict[str, Literal["starttls", "tls", "none"]] = {
    "smtp": "starttls",
    "smtps": "tls",
    "smtp+insecure": "none",
}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def mailbox(text: str) -> Address | None:
    """A plain address, `name@example.com`; None for anything else. ASCII: not every server takes more."""
    if len(text) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(text):
        return None
    try:
        return Address(addr_spec=text)
    except ValueError:  # an encoded word (RFC 2047) in the place of a name
        return None


@dataclass(frozen=True, slots=True)
class MailServer:
    """What the operator configured."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: Address
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, sender: str) -> "MailServer":
        """Raises StartupError, which does not quote the URL: there is a password in it."""
        try:
            parts = urlsplit(url)
            security, port = _SECURITY.get(parts.scheme), parts.port
        except ValueError:
            parts, security, port = urlsplit(""), None, None
        if security is None or not parts.hostname or parts.path.strip("/"):
            raise StartupError(
                "WEFT_SMTP_URL has to look like smtp://user:password@mail.example.com:587, or smtps://…."
            )
        address = mailbox(sender)
        if address is None:
            raise StartupError(f"WEFT_MAIL_FROM has to be an address such as weft@example.com; it is {sender!r}.")
        return cls(
            parts.hostname,
            port or _PORTS[security],
            security,
            address,
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )


class Mailer:
    """One per process. Every attempt has a connection of its own: mails are few, and a server that hangs holds up one."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = tls or ssl.create_default_context()

    async def send(self, config: EmailConfig, delivery: Delivery) -> AttemptOutcome:
        try:
            mail = compose(self._server.sender, config, delivery)
        except (LiquidRenderError, LiquidSyntaxProblemError) as error:
            return refused("TEMPLATE_FAILED", f"The mail cannot be written: {error}.")
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                return await self._exchange(config.to, mail.as_bytes(policy=SMTP_POLICY))
        except (SMTPException, OSError) as error:
            return _outcome_of(error)

    async def _exchange(self, recipients: tuple[str, ...], mail: bytes) -> AttemptOutcome:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=server.sender.domain,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else self._tls,
            timeout=TIMEOUT.total_seconds(),
        )
        async with client:
            await client.mail(server.sender.addr_spec)
            for recipient in recipients:
                await client.rcpt(recipient)
            code, said = await client.data(mail)
        return arrived(code, _said(said))


def compose(sender: Address, config: EmailConfig, delivery: Delivery) -> EmailMessage:
    """The same at every attempt. Raises what Liquid raises."""
    data = cast("dict[str, Any]", delivery.message.get("data") or {})
    text, subject = text_of_message(delivery), subject_of_message(delivery)
    scope = {**data, "data": data, "message": text, "subject": subject}
    if config.subject is not None:
        subject = compile_liquid(config.subject).render(scope)
    if config.template is not None:
        text = compile_liquid(config.template).render(scope)
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = [one for one in map(mailbox, config.to) if one is not None]
    mail["Subject"] = _one_line(subject or DEFAULT_SUBJECT)
    mail["Date"] = format_datetime(delivery.created_at)
    mail["Message-ID"] = f"<{delivery.id}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    mail.set_content(storable(text))
    return mail


def _one_line(text: str) -> str:
    """A line break in a subject would begin another header; so would one in an encoded word (RFC 2047), which the library
    decodes before it writes.
    """
    printable = "".join(character if character.isprintable() else " " for character in storable(text))
    return " ".join(printable.split()).replace("=?", "= ?")[:LONGEST_SUBJECT]


def _outcome_of(error: SMTPException | OSError) -> AttemptOutcome:
    match error:
        case SMTPRecipientRefused():
            return _turned_down(error, "RECIPIENT_REFUSED", f"The mail server refuses the recipient {error.recipient}.")
        case SMTPSenderRefused():
            return _turned_down(error, "SENDER_REFUSED", "The mail server refuses the sender.")
        case SMTPDataError():
            return _turned_down(error, "MAIL_REFUSED", "The mail server refuses the mail.")
        case SMTPAuthenticationError():
            return postponed("SMTP_LOGIN_FAILED", "The mail server refuses the login.", status_code=error.code)
        case SMTPResponseException():
            said = f"The mail server answers {error.code}: {_said(error.message)}"
            return postponed("SMTP_REFUSED", said, status_code=error.code)
        case TimeoutError():
            return postponed("TIMEOUT", f"The mail server did not answer within {TIMEOUT.total_seconds():g} seconds.")
        case _ if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            return postponed("TLS_FAILED", "The certificate or encryption of the mail server is not valid.")
        case _:
            return postponed("NETWORK_FAULT", f"The exchange with the mail server broke: {type(error).__name__}.")


def _turned_down(error: SMTPResponseException, code: str, what: str) -> AttemptOutcome:
    told = refused if error.code >= _PERMANENT else postponed
    return told(code, what, status_code=error.code, excerpt=_said(error.message))


def _said(text: str) -> str:
    return storable(text[:EXCERPT_CHARACTERS])
