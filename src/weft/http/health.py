"""Whether the process is well, for whatever starts and balances processes.

`/healthz` says that the process answers at all: restart it when it does not. `/readyz` says whether it can work, and if
not, why: send it no requests meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from weft.auth.instance import HEADER

Check = Callable[[], Awaitable[None]]
"""Raises, with a reason, when what it looks at cannot be used."""

CHECK_SECONDS = 2.0

logger = structlog.stdlib.get_logger(__name__)


def routes(checks: Mapping[str, Check], sign: str) -> list[Route]:
    """`sign` tells which Weft it is that answers (`weft.auth.instance`)."""

    async def readyz(_request: Request) -> JSONResponse:
        results = dict(
            zip(checks, await asyncio.gather(*(_result(name, checks[name]) for name in checks)), strict=True)
        )
        ready = all(result == "ok" for result in results.values())
        return JSONResponse({"ready": ready, "checks": results}, 200 if ready else 503, {HEADER: sign})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def healthz(_request: Request) -> JSONResponse:
    return JSONResponse({"healthy": True})


async def _result(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} seconds"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a service makes it not ready
        logger.warning("A readiness check failed.", check=name, error=repr(error))
        return type(error).__name__
    return "ok"
