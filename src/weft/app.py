"""The API process: everything it consists of is built here, and nowhere else."""

import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from weft.auth.instance import instance_of
from weft.auth.rate_limits import RateLimits, rate_of
from weft.domain.errors import StartupError
from weft.engine.outside import OutsideOptions, World
from weft.engine.plans import PlanCache
from weft.engine.wakeups import ArqWakeups
from weft.graphql import explorer
from weft.graphql.connections import ConnectionLimits, Connections
from weft.graphql.limits import QueryLimits
from weft.graphql.schema import WeftSchema
from weft.graphql.trusted import Others
from weft.graphql.trusted import load as trusted_documents
from weft.graphql.view import GraphQLView, ViewOptions
from weft.http import downloads, files, health, uploads, webhooks
from weft.http.body_limit import BodyLimit
from weft.http.faults import internal_fault, no_such_thing
from weft.http.frames import FrameProtocol
from weft.http.peers import PatientHttp
from weft.http.request_id import HEADER, RequestIds
from weft.http.server import GracefulServer
from weft.kit.open_files import allow_many
from weft.operations.progress import reader_of
from weft.operations.services import Limits, Services
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed
from weft.settings import Settings
from weft.steps import discover
from weft.storage import migrations
from weft.storage.database import Database

ENDPOINT = "/graphql"
FILES = "/files/"
"""Uploads stream in under this path and are limited by their own routes."""
KEEP_ALIVE_SECONDS = 75
"""For a connection without a request. Longer than the minute that proxies keep one: of the two, the one that may still send
something should be the one that closes.
"""
OTHER_FILES = 300
"""Of those that a process may have open: the database, Redis, requests, and the files of the program itself."""


@dataclass(frozen=True, slots=True)
class Process:
    """What lives as long as the process."""

    services: Services
    wakeups: ArqWakeups
    redis: Redis
    rate_limits: RateLimits
    connections: Connections

    @classmethod
    def build(cls, settings: Settings, most_connections: int | None = None) -> "Process":
        """`most_connections`: of clients that stay, as far as the system allows them."""
        if settings.database_url is None or settings.redis_url is None:
            raise StartupError(
                "The API needs WEFT_DATABASE_URL and WEFT_REDIS_URL. To start all on this machine: weft up"
            )
        if settings.secret_key is None:
            raise StartupError(
                "The API needs WEFT_SECRET_KEY: at least 32 random characters, the same in all processes."
            )
        database = Database.connect(
            settings.database_url, pool_size=settings.database_pool_size, statement_cache=settings.statement_cache
        )
        catalogue = discover()
        secret_key = settings.secret_key.get_secret_value().encode()
        wakeups = ArqWakeups(settings.redis_url)
        services = Services(
            database=database,
            catalogue=catalogue,
            plans=PlanCache(catalogue),
            wakeups=wakeups,
            progress=ProgressFeed(settings.redis_url, reader_of(database)),
            channel=ProgressChannel(settings.redis_url),
            secret_key=secret_key,
            world=World(
                database,
                OutsideOptions(
                    secret_key,
                    settings.redis_url,
                    settings.allowed_hosts,
                    settings.files,
                    settings.sqlite_folder,
                    settings.mail,
                ),
            ),
            public_url=settings.reached_at,
            limits=Limits(
                import_bytes=settings.max_import_bytes,
                file_bytes=settings.max_file_bytes,
                files=settings.max_files,
                files_bytes=settings.max_files_bytes,
            ),
        )
        rate_limits = RateLimits.connect(settings.redis_url, settings.rate_limit)
        connections = Connections(
            ConnectionLimits(
                in_all=min(settings.max_connections, most_connections or settings.max_connections),
                per_address=settings.max_connections_per_address,
                per_key=settings.max_connections_per_key,
            )
        )
        redis = Redis.from_url(settings.redis_url)
        return cls(services, wakeups, redis, rate_limits, connections)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.services.database.close)
            closing.push_async_callback(self.redis.aclose)
            closing.push_async_callback(self.rate_limits.close)
            closing.push_async_callback(self.wakeups.close)
            closing.push_async_callback(self.services.channel.close)
            await closing.enter_async_context(self.services.progress)
            await closing.enter_async_context(self.services.world)
            # What start-up made stays: the collector need not walk it again and again, 20 ms at a time.
            gc.collect()
            gc.freeze()
            yield

    async def check_migrations(self) -> None:
        await migrations.check(self.services.database)

    async def check_redis(self) -> None:
        await self.redis.ping()


class _Api(Starlette):
    """Websockets go straight to the endpoint: whatever stands between waits, and takes memory, as long as each of them is
    open, and has nothing to say to them.
    """

    def __init__(self, endpoint: ASGIApp, **options: Any) -> None:
        super().__init__(**options)
        self._sockets = RequestIds(endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"].removeprefix(scope.get("root_path", "")) == ENDPOINT:
            await self._sockets(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings) -> Starlette:
    return _app(settings, Process.build(settings))


def _app(settings: Settings, process: Process) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with process.running():
            yield

    view = _view(settings, process)
    return _Api(
        view,
        routes=_routes(process, view),
        lifespan=lifespan,
        exception_handlers={HTTPException: no_such_thing, Exception: internal_fault},
        middleware=[
            Middleware(RequestIds),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "HEAD", "POST", "PUT"],
                allow_headers=["Authorization", "Content-Type", "Last-Event-ID", HEADER],
                expose_headers=[HEADER, "Retry-After"],
            ),
            Middleware(BodyLimit, max_bytes=settings.max_body_bytes, streaming=(FILES,)),
        ],
    )


def _view(settings: Settings, process: Process) -> GraphQLView:
    limits = QueryLimits(
        characters=settings.max_query_characters,
        tokens=settings.max_query_tokens,
        depth=settings.max_query_depth,
        aliases=settings.max_query_aliases,
        cost=settings.max_query_cost,
    )
    trusted, others = None, Others(settings.other_documents)
    if settings.trusted_documents is not None:
        trusted = trusted_documents(settings.trusted_documents, others)
    options = ViewOptions(
        graphiql=settings.graphiql and others.explorable(settings.trusted_documents),
        allowed_origins=settings.allowed_origins,
        subscriptions_per_connection=settings.max_subscriptions,
        rate_limits=process.rate_limits,
        connections=process.connections,
        message_rate=rate_of(settings.max_messages) if settings.max_messages else None,
        heartbeat_seconds=settings.heartbeat_seconds,
    )
    return GraphQLView(
        WeftSchema(limits, introspection=settings.introspection, trusted=trusted),
        process.services,
        options,
    )


def _routes(process: Process, view: GraphQLView) -> list[BaseRoute]:
    return [
        Route("/", _to_graphql),
        Route(ENDPOINT, view),
        *(explorer.routes() if view.graphql_ide else []),
        *files.routes(process.services),
        *uploads.routes(process.services),
        *downloads.routes(process.services),
        *webhooks.routes(process.services),
        *health.routes(
            {"database": process.check_migrations, "redis": process.check_redis},
            instance_of(process.services.secret_key),
        ),
    ]


async def _to_graphql(_request: Request) -> RedirectResponse:
    return RedirectResponse(ENDPOINT)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then finish what runs, and return."""
    server(settings).run()


def server(settings: Settings) -> GracefulServer:
    files = allow_many()
    process = Process.build(settings, most_connections=max(1, files - OTHER_FILES))
    config = uvicorn.Config(
        _app(settings, process),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=PatientHttp,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws=FrameProtocol,
        ws_per_message_deflate=False,  # of states of some hundred bytes it saves little, and costs each client a dictionary
        ws_max_size=settings.max_message_bytes,
        ws_ping_interval=settings.heartbeat_seconds,
        ws_ping_timeout=settings.heartbeat_seconds,
        forwarded_allow_ips=list(settings.trusted_proxies),
        log_config=None,
        access_log=False,
        server_header=False,
    )
    return GracefulServer(config, process.connections, settings.shutdown_seconds)
