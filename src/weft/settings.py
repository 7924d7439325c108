"""Every setting, read once from the environment (`WEFT_…`) by the processes' entry points."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from weft.domain.retention import Ages
from weft.integrations.mail import MailServer
from weft.integrations.object_store import FileOptions

_ORIGIN = re.compile(r"https?://[^/\s?#]+/?")


def _days(days: int, what: str) -> Any:
    return Field(default=days, ge=0, le=36_500, description=f"Days that {what}; 0 for ever.")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="WEFT_", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: str | None = Field(
        default=None, description="PostgreSQL, as `postgresql://…`. Left out: an embedded one."
    )
    redis_url: str | None = Field(
        default=None, description="Redis or Valkey, as `redis://…`. Left out: an embedded one."
    )
    data_dir: Path = Field(default=Path(".weft"), description="Where embedded services and files are kept.")
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="What digests of API keys and links are made from, at least 32 characters; the same in all processes. "
        "Left out with embedded services: kept in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that the API listens on; 0 for any free one.")
    public_url: str | None = Field(
        default=None, description="How clients reach the API, for links it hands out. Left out: from host and port."
    )
    workers: int | None = Field(
        default=None, ge=1, description="Worker processes of `weft up`. Left out: as many as fit the cores."
    )
    lease_seconds: float = Field(
        default=10.0, ge=1, description="How long a worker that says nothing keeps its batches."
    )
    stall_seconds: float = Field(
        default=30.0,
        ge=1,
        description="How long one step may keep a worker from everything else; then the worker ends and is replaced.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged; left out, `weft up` logs from `warning` on."
    )
    log_format: Literal["json", "console"] = Field(
        default="console", description="`json` for machines, `console` for people."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins of web pages elsewhere that may call the API, with commas between; `*` for any.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Hosts and networks that steps may call although they are private, with commas between: "
        "`intranet.local`, `10.0.0.7:8080`, `192.168.0.0/16`.",
    )
    sqlite_folder: Path | None = Field(
        default=None,
        description="Folder of the SQLite files that workflows may write into, one folder per workspace in it; the same "
        "for all processes. Left out: none, and `sqlite` in the data folder with `weft up`.",
    )
    files_url: str | None = Field(
        default=None,
        description="Where uploaded files are kept: a folder that all processes share, or `s3://bucket/prefix`. "
        "Left out: `files` in the data folder.",
    )
    s3_endpoint: str | None = Field(
        default=None, description="URL of an S3-compatible store. Left out: that of AWS in the region."
    )
    s3_region: str | None = Field(default=None, description="Region of the bucket. Left out: `AWS_REGION`.")
    s3_access_key_id: str | None = Field(
        default=None, description="Key for the bucket. Left out: `AWS_ACCESS_KEY_ID`, or the role of the machine."
    )
    s3_secret_access_key: SecretStr | None = Field(default=None, description="Secret that belongs to that key.")
    s3_presigned: bool = Field(
        default=False,
        description="Clients PUT files into the bucket by themselves; left out, they come through the API.",
    )
    max_file_bytes: int = Field(default=256 * 1024**2, ge=1, description="Largest uploaded file.")
    max_files: int = Field(default=1_000_000, ge=1, description="Most different files of one workspace.")
    max_files_bytes: int = Field(
        default=100 * 1024**3, ge=1, description="Most bytes of the files of one workspace together."
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server of email integrations: `smtp://user:password@host:587` (STARTTLS), `smtps://…` (TLS) or "
        "`smtp+insecure://…`. Left out: no mail is sent.",
    )
    mail_from: str | None = Field(
        default=None, description="Address that mail is sent from; needed with WEFT_SMTP_URL."
    )
    delivery_attempts: int = Field(
        default=10, ge=1, le=100, description="How often a message is tried before it is given up; ten take half a day."
    )
    keep_runs_days: int = _days(90, "finished runs are kept, with their items and logs")
    keep_logs_days: int = _days(30, "the logs of runs are kept")
    keep_events_days: int = _days(
        30, "events that were looked at are kept, and what triggers and schedules made of them"
    )
    keep_deliveries_days: int = _days(30, "messages that arrived or were given up are kept, with their attempts")
    keep_audit_days: int = _days(365, "the audit log is kept")
    keep_imports_days: int = _days(30, "imports are kept, with the errors of their rows; what they imported stays")
    keep_uploads_days: int = _days(
        7, "uploads are kept after their links expired, and files that no document has any more at least"
    )
    keep_idempotency_keys_days: int = _days(7, "requests are known again by their idempotency keys")
    keep_api_keys_days: int = _days(90, "revoked and expired API keys are listed")
    introspection: bool = Field(default=True, description="Whether the schema can be asked for its types.")
    graphiql: bool = Field(
        default=True, description="Whether browsers get the explorer; never beside trusted documents alone."
    )
    max_query_characters: int = Field(default=50_000, ge=1, description="Longest GraphQL document.")
    max_query_tokens: int = Field(default=1_000, ge=1, description="Most tokens in a GraphQL document.")
    max_query_depth: int = Field(default=15, ge=1, description="Deepest nesting of a GraphQL operation.")
    max_query_aliases: int = Field(default=30, ge=0, description="Most aliases in an operation, outside introspection.")
    max_query_cost: int = Field(default=20_000, ge=1, description="Most objects that a GraphQL operation may return.")
    trusted_documents: Path | None = Field(
        default=None,
        description="File or folder of the only operations that clients may send: `*.json` that maps ids to texts (Relay, "
        "graphql-codegen) or is Apollo's manifest, and `*.graphql`. Left out: any.",
    )
    other_documents: Literal["refuse", "admin", "allow"] = Field(
        default="refuse",
        description="With WEFT_TRUSTED_DOCUMENTS, what becomes of other operations: `refuse`, `admin` (allowed for keys with "
        "that role) or `allow`.",
    )
    rate_limit: int = Field(
        default=60_000,
        ge=0,
        description="Most operations a minute of one API key, evenly, and a tenth of them (ten at least) at once; 0 for no limit.",
    )
    max_body_bytes: int = Field(default=2_000_000, ge=1_000, description="Largest request body.")
    max_import_bytes: int = Field(default=10 * 1024**3, ge=1, description="Largest file of an import.")
    max_subscriptions: int = Field(default=100, ge=1, description="Most operations at a time on one websocket.")
    max_message_bytes: int = Field(
        default=500_000, ge=1_000, description="Largest websocket message; larger operations go by POST."
    )
    max_messages: int = Field(
        default=12_000,
        ge=0,
        description="Most messages a minute that may come on one websocket, evenly, and a tenth of them (ten at least) at once; 0 for no limit.",
    )
    max_connections: int = Field(
        default=20_000, ge=1, description="Most websockets and event streams at a time of one process."
    )
    max_connections_per_address: int = Field(
        default=1_000,
        ge=0,
        description="Most websockets and event streams at a time from one network address, per process; 0 for no limit. "
        "Behind a proxy, see WEFT_TRUSTED_PROXIES.",
    )
    max_connections_per_key: int = Field(
        default=10_000,
        ge=0,
        description="Most websockets and event streams at a time of one API key, per process; 0 for no limit.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "::1"),
        description="Addresses and networks of proxies before the API, with commas between, or `*` where only proxies reach "
        "it: their `X-Forwarded-For` tells the address of a client.",
    )
    heartbeat_seconds: float = Field(
        default=13,
        gt=0,
        description="How often websockets and event streams are asked for a sign of life, and how long they have to give one.",
    )
    database_pool_size: int = Field(default=10, ge=1, description="Most connections to PostgreSQL of one process.")
    statement_cache: bool = Field(
        default=True, description="Prepared statements. Turn it off behind a pooler in transaction mode."
    )
    shutdown_seconds: int = Field(default=10, ge=0, description="How long a stopping API waits for requests that run.")

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, url: str | None) -> str | None:
        """`postgres://` and `postgresql://` mean the driver that Weft uses."""
        if url is None or url.startswith("postgresql+asyncpg://"):
            return url
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in {"postgres", "postgresql"}:
            raise ValueError("has to begin with postgresql://")
        return f"postgresql+asyncpg://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("has to begin with redis://, rediss:// or unix://")
        return url

    @field_validator("allowed_origins", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"has to list origins, such as https://app.example.com: {origin!r} is none")
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        if proxies != ("*",):
            for proxy in proxies:
                ip_network(proxy)  # says what is wrong with it
        return proxies

    @field_validator("log_level", "log_format", "other_documents", mode="before")
    @classmethod
    def _in_lower_case(cls, word: object) -> object:
        return word.lower() if isinstance(word, str) else word

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, url: str | None) -> str | None:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("has to begin with http:// or https://")
        return url.rstrip("/") if url else None

    @property
    def files(self) -> FileOptions:
        """Where uploaded files are kept."""
        secret = self.s3_secret_access_key
        return FileOptions(
            url=self.files_url or str(self.data_dir / "files"),
            scratch=self.data_dir / "scratch",
            s3_endpoint=self.s3_endpoint,
            s3_region=self.s3_region,
            s3_access_key_id=self.s3_access_key_id,
            s3_secret_access_key=None if secret is None else secret.get_secret_value(),
            s3_presigned=self.s3_presigned,
        )

    @property
    def ages(self) -> Ages:
        """How long what is over is kept."""

        def age(days: int) -> timedelta | None:
            return timedelta(days=days) if days else None

        return Ages(
            runs=age(self.keep_runs_days),
            logs=age(self.keep_logs_days),
            events=age(self.keep_events_days),
            deliveries=age(self.keep_deliveries_days),
            audit=age(self.keep_audit_days),
            imports=age(self.keep_imports_days),
            files=age(self.keep_uploads_days),
            idempotency_keys=age(self.keep_idempotency_keys_days),
            api_keys=age(self.keep_api_keys_days),
        )

    @property
    def mail(self) -> MailServer | None:
        """None where no mail is sent. Raises StartupError."""
        url = None if self.smtp_url is None else self.smtp_url.get_secret_value()
        return None if url is None else MailServer.parse(url, self.mail_from or "")

    @property
    def reached_at(self) -> str:
        """The public URL, or where the API listens."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @classmethod
    def variables(cls) -> list[tuple[str, str, str]]:
        """Name, default and meaning of every variable: the table in the README."""
        return [
            (f"WEFT_{name.upper()}", _shown(field.default), field.description or "")
            for name, field in cls.model_fields.items()
        ]


def _shown(default: object) -> str:
    match default:
        case None | ():
            return ""
        case tuple():
            return ",".join(cast("tuple[str, ...]", default))
        case bool():
            return str(default).lower()
        case _:
            return str(default)
