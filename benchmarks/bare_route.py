"""The floor of the webhooks: a route of Starlette that reads the body, stores nothing and answers 202, a process of its own.

python -m benchmarks.bare_route <port>

Served as the API is: the same event loop, the same parser, no access log. It has none of the API's middleware.
"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def take(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"id": "01a20000-0000-7000-8000-000000000000"}, 202)


if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=[Route("/hooks/{token}", take, methods=["POST"])]),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
    )
