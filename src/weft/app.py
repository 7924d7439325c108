"""The API process: everything it consists of is built here, and nowhere else."""

import asyncio
import gc
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from weft.auth.instance import instance_of
from weft.auth.rate_limits import RateLimits
from weft.domain.errors import StartupError
from weft.engine.outside import OutsideOptions, World
from weft.engine.plans import PlanCache
from weft.engine.wakeups import ArqWakeups
from weft.graphql import explorer
from weft.graphql.limits import QueryLimits
from weft.graphql.schema import WeftSchema
from weft.graphql.view import GraphQLView, ViewOptions
from weft.http import downloads, files, health, uploads, webhooks
from weft.http.body_limit import BodyLimit
from weft.http.faults import internal_fault
from weft.http.request_id import HEADER, RequestIds
from weft.operations.progress import reader_of
from weft.operations.services import Limits, Services
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed
from weft.settings import Settings
from weft.steps import discover
from weft.storage import migrations
from weft.storage.database import Database

FILES = "/files/"
"""Uploads stream in under this path and are limited by their own routes."""


@dataclass(frozen=True, slots=True)
class Process:
    """What lives as long as the process."""

    services: Services
    wakeups: ArqWakeups
    redis: Redis
    rate_limits: RateLimits
    stopping: asyncio.Event
    """Set when the process begins to stop: event streams end then."""

    @classmethod
    def build(cls, settings: Settings) -> "Process":
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
        return cls(services, wakeups, Redis.from_url(settings.redis_url), rate_limits, asyncio.Event())

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


def create_app(settings: Settings) -> Starlette:
    return _app(settings, Process.build(settings))


def _app(settings: Settings, process: Process) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with process.running():
            yield

    return Starlette(
        routes=_routes(settings, process),
        lifespan=lifespan,
        exception_handlers={Exception: internal_fault},
        middleware=[
            Middleware(RequestIds),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "HEAD", "POST", "PUT"],
                allow_headers=["Authorization", "Content-Type", HEADER],
                expose_headers=[HEADER, "Retry-After"],
            ),
            Middleware(BodyLimit, max_bytes=settings.max_body_bytes, streaming=(FILES,)),
        ],
    )


def _routes(settings: Settings, process: Process) -> list[BaseRoute]:
    limits = QueryLimits(
        characters=settings.max_query_characters,
        tokens=settings.max_query_tokens,
        depth=settings.max_query_depth,
        aliases=settings.max_query_aliases,
        cost=settings.max_query_cost,
    )
    options = ViewOptions(
        graphiql=settings.graphiql,
        allowed_origins=settings.allowed_origins,
        subscriptions_per_connection=settings.max_subscriptions,
        rate_limits=process.rate_limits,
    )
    view = GraphQLView(
        WeftSchema(limits, introspection=settings.introspection), process.services, process.stopping, options
    )
    return [
        Route("/", _to_graphql),
        Route("/graphql", view),
        WebSocketRoute("/graphql", view),
        *([Route(f"{explorer.BASE}/{{name}}", explorer.explorer_asset)] if settings.graphiql else []),
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
    return RedirectResponse("/graphql")


class _Server(uvicorn.Server):
    """Ends event streams before it waits for requests to finish, since they would never finish by themselves."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then finish what runs, and return."""
    process = Process.build(settings)
    config = uvicorn.Config(
        _app(settings, process),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",  # half the CPU of the default protocol
        ws_max_size=settings.max_body_bytes,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    _Server(config, process.stopping).run()
