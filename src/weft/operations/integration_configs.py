"""What people configure an integration with: checked, every problem at its path."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from yarl import URL

from weft.domain.errors import ErrorCode, Problem
from weft.domain.integration import EmailConfig, IntegrationConfig, IntegrationType, SlackConfig, WebhookConfig
from weft.integrations.http import MAX_URL_CHARACTERS, RESERVED_HEADERS
from weft.integrations.mail import mailbox
from weft.integrations.webhook import key_of, new_secret, reserved
from weft.kit.liquid import LiquidSyntaxProblemError, compile_liquid
from weft.kit.storable import is_storable_text

MOST_RECIPIENTS = 50
MOST_HEADERS = 30
LONGEST_HEADER = 4_000
LONGEST_CHANNEL = 200
METHODS = ("POST", "PUT", "PATCH")
SIGNING_KEY_EXPECTED = "A secret is `whsec_` and the base64 of 24 to 64 bytes. Left out, one is made and shown once."
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Of all settings: what is None is left out, which keeps what there is. An empty channel takes it away."""

    type = IntegrationType.SLACK
    webhook_url: str | None = field(default=None, repr=False)
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """An empty subject or template takes it away."""

    type = IntegrationType.EMAIL
    to: Sequence[str] | None = None
    subject: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    type = IntegrationType.WEBHOOK
    url: str | None = field(default=None, repr=False)
    method: str | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    new_secret: bool = False
    """Make another one, in place of what there is."""


Settings = SlackSettings | EmailSettings | WebhookSettings


@dataclass(frozen=True, slots=True)
class Configured:
    config: IntegrationConfig
    problems: tuple[Problem, ...] = ()
    made_secret: str | None = field(default=None, repr=False)
    """To be shown once."""


def configured(settings: Settings, current: IntegrationConfig | None = None) -> Configured:
    """What the settings make of the config there is, or of none. Paths are those of the input, under `config`."""
    problems: list[Problem] = []
    made: str | None = None
    match settings, current:
        case SlackSettings(), SlackConfig() | None:
            config: IntegrationConfig = _slack(settings, current or SlackConfig(""), problems)
        case EmailSettings(), EmailConfig() | None:
            config = _email(settings, current or EmailConfig(()), problems)
        case WebhookSettings(), WebhookConfig() | None:
            if settings.secret is None and (current is None or settings.new_secret):
                made = new_secret()
            config = _webhook(settings, current or WebhookConfig(""), made, problems)
        case _, other:
            message = f"This integration is of the type {other.type}, which cannot be changed: make another one."
            return Configured(other, (Problem(ErrorCode.INVALID, message, ("config",)),))
    return Configured(config, tuple(problem.under("config", settings.type.lower()) for problem in problems), made)


def _slack(settings: SlackSettings, config: SlackConfig, problems: list[Problem]) -> SlackConfig:
    if settings.webhook_url is not None:
        config = replace(config, webhook_url=checked_url(settings.webhook_url, "webhookUrl", problems))
    elif not config.webhook_url:
        problems.append(Problem(ErrorCode.INVALID, "The URL of the incoming webhook is needed.", ("webhookUrl",)))
    if settings.channel is not None:
        _text(settings.channel, LONGEST_CHANNEL, "channel", problems)
        config = replace(config, channel=settings.channel.strip() or None)
    return config


def _email(settings: EmailSettings, config: EmailConfig, problems: list[Problem]) -> EmailConfig:
    if settings.to is not None:
        config = replace(config, to=tuple(dict.fromkeys(one.strip() for one in settings.to)))
        for index, one in enumerate(settings.to):
            if mailbox(one.strip()) is None:
                message = f"{one[:200]!r} is no plain address such as name@example.com."
                problems.append(Problem(ErrorCode.INVALID, message, ("to", str(index))))
    if not config.to:
        problems.append(Problem(ErrorCode.INVALID, "At least one recipient is needed.", ("to",)))
    if len(config.to) > MOST_RECIPIENTS:
        message = f"There are {len(config.to)} recipients; at most {MOST_RECIPIENTS} are allowed."
        problems.append(Problem(ErrorCode.LIMIT_EXCEEDED, message, ("to",), "Use a mailing list."))
    if settings.subject is not None:
        config = replace(config, subject=_template(settings.subject, "subject", problems))
    if settings.template is not None:
        config = replace(config, template=_template(settings.template, "template", problems))
    return config


def _webhook(
    settings: WebhookSettings, config: WebhookConfig, made: str | None, problems: list[Problem]
) -> WebhookConfig:
    if settings.url is not None:
        url = checked_url(settings.url, "url", problems)
        if config.headers and settings.headers is None and not problems and _leads_elsewhere(config.url, url):
            message = "The headers have to be given again, since they would be sent elsewhere; an empty list for none."
            problems.append(Problem(ErrorCode.INVALID, message, ("headers",)))
        config = replace(config, url=url)
    elif not config.url:
        problems.append(Problem(ErrorCode.INVALID, "A URL is needed.", ("url",)))
    if settings.method is not None:
        method = settings.method.upper()
        if method not in METHODS:
            problems.append(Problem(ErrorCode.INVALID, f"The method has to be {', '.join(METHODS)}.", ("method",)))
        config = replace(config, method=method)
    if settings.headers is not None:
        _check_headers(settings.headers, problems)
        config = replace(config, headers=dict(settings.headers))
    secret = settings.secret if settings.secret is not None else made
    if secret is not None:
        if key_of(secret) is None:
            problems.append(Problem(ErrorCode.INVALID, SIGNING_KEY_EXPECTED, ("secret",)))
        config = replace(config, secret=secret)
    return config


def _leads_elsewhere(url: str, changed: str) -> bool:
    return URL(url).origin() != URL(changed).origin()


def _check_headers(headers: Mapping[str, str], problems: list[Problem]) -> None:
    if len(headers) > MOST_HEADERS:
        message = f"There are {len(headers)} headers; at most {MOST_HEADERS} are allowed."
        problems.append(Problem(ErrorCode.LIMIT_EXCEEDED, message, ("headers",)))
    own = set(reserved(headers))
    for name, value in list(headers.items())[:MOST_HEADERS]:
        # Names come from the caller: neither they nor the values are quoted where they may be secrets.
        if not _TOKEN.fullmatch(name):
            problems.append(Problem(ErrorCode.INVALID, f"{name[:100]!r} is no name of a header.", ("headers", name)))
        elif name in own or name.lower() in RESERVED_HEADERS:
            problems.append(Problem(ErrorCode.INVALID, f"The header {name} is set by Weft itself.", ("headers", name)))
        if len(value) > LONGEST_HEADER or not value.isascii() or not value.isprintable():
            message = f"The value has to be printable ASCII of at most {LONGEST_HEADER:,} characters."
            problems.append(Problem(ErrorCode.INVALID, message, ("headers", name)))


def checked_url(written: str, field_name: Literal["url", "webhookUrl"], problems: list[Problem]) -> str:
    """Where it leads is for the address guard to judge, at each attempt."""
    text = written.strip()
    try:
        url = URL(text)
        right = url.scheme in {"http", "https"} and bool(url.host) and url.user is None and url.password is None
    except ValueError:
        right = False
    if not right or len(text) > MAX_URL_CHARACTERS or not is_storable_text(text):
        message = "The URL has to begin with https:// or http:// and a host, without a user or a password in it."
        problems.append(Problem(ErrorCode.INVALID, message, (field_name,)))
    return text


def _template(source: str, field_name: str, problems: list[Problem]) -> str | None:
    if not source.strip():
        return None
    _text(source, len(source), field_name, problems)
    try:
        compile_liquid(source)
    except LiquidSyntaxProblemError as error:
        problems.extend(
            Problem(ErrorCode.INVALID_TEMPLATE, f"{one.message}.", (field_name,), line=one.line, column=one.column)
            for one in error.problems
        )
    return source


def _text(text: str, longest: int, field_name: str, problems: list[Problem]) -> None:
    if len(text) > longest:
        message = f"The {field_name} has {len(text):,} characters; at most {longest:,} are allowed."
        problems.append(Problem(ErrorCode.LIMIT_EXCEEDED, message, (field_name,)))
    if not is_storable_text(text):
        message = f"The {field_name} contains a character that is no text."
        problems.append(Problem(ErrorCode.INVALID, message, (field_name,)))
