"""GraphiQL at `/graphql` in a browser, without any other server.

Its files lie in `static`, built from the sources in `web` by `make web`, and belong to the package: nobody needs Node to
serve them. Each is served under a name with its digest in it, so a browser keeps it for good and asks for another name after
an upgrade; the page carries the digests too, and a browser runs no file that differs. Addresses in the page are relative:
it works below whatever path Weft is served. The page's policy allows nothing from or to any other server.
"""

import asyncio
import gzip
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from weft.domain.errors import StartupError

BASE = "/graphql/explorer"

_STATIC = Path(__file__).parent / "static"
_PAGE = "explorer.html"
_MEDIA_TYPES = {
    "explorer.css": "text/css",
    "explorer.js": "text/javascript",
    "favicon.svg": "image/svg+xml",
    "third-party.txt": "text/plain",
}

# GraphiQL's editor sets styles from scripts, and its icons are data in its style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STRICT = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    """With its digest: another content has another name."""
    content: bytes
    media_type: str
    integrity: str


@cache
def assets() -> dict[str, Asset]:
    """The files of the page by the names they have in `static`, read once. Raises StartupError when one is missing."""
    return {name: _asset(name, media_type) for name, media_type in _MEDIA_TYPES.items()}


def routes() -> list[BaseRoute]:
    """The files of the page. Raises StartupError when one is missing: here, not when somebody asks for it."""
    served = {asset.name: asset for asset in assets().values()}
    _page()

    async def serve(request: Request) -> Response:
        asset = served.get(request.path_params["name"])
        if asset is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        return await _served(asset, request)

    return [Route(f"{BASE}/{{name}}", serve)]


def explorer_page() -> Response:
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}
    return HTMLResponse(_page(), headers=headers | _STRICT)


async def _served(asset: Asset, request: Request) -> Response:
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{asset.integrity}"',
        "Vary": "Accept-Encoding",
    } | _STRICT
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = asset.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = await asyncio.to_thread(_compressed, content)
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type=asset.media_type)


@cache
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@cache
def _page() -> str:
    page = _read(_PAGE).decode()
    for name, asset in assets().items():
        # Seen from the page at `…/graphql`.
        page = page.replace(f"{{{name}}}", f"{BASE[1:]}/{asset.name}").replace(f"{{{name}:integrity}}", asset.integrity)
    return page


def _asset(name: str, media_type: str) -> Asset:
    content = _read(name)
    digest = sha256(content)
    stem, _, suffix = name.rpartition(".")
    integrity = f"sha256-{b64encode(digest.digest()).decode()}"
    return Asset(f"{stem}.{digest.hexdigest()[:16]}.{suffix}", content, media_type, integrity)


def _read(name: str) -> bytes:
    try:
        return (_STATIC / name).read_bytes()
    except FileNotFoundError:
        raise StartupError(
            f"GraphiQL's file {name} is missing in this installation: install Weft again, or set WEFT_GRAPHIQL=false."
        ) from None
