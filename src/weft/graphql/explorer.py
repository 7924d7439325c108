"""GraphiQL at `/graphql` in a browser, without any other server: its files come from an installed package.

They are those of GraphiQL 2.4.7, React 17 and graphql-ws 5 as their makers published them, packed by
`graphene-django-graphiql-static`, of which nothing else is used. Each is named here with its digest, and a browser runs none
that differs; the page's policy allows scripts from this server only.
"""

import hashlib
import importlib.util
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from weft.domain.errors import StartupError

BASE = "/graphql/explorer"

_PACKAGE = "graphene_django_graphiql_static"
_PACKED = {
    "graphiql.min.css": "sha256-xs1Lg/AcXh/0l113vJVxhNzm3sAVX7+cxNkZDrqKe50=",
    "graphiql.min.js": "sha256-xWTeBbldGE4sW6XOryY1gh9r+S8tV3e3TZEAT/a1kdE=",
    "graphql-ws.min.js": "sha256-EZhvg6ANJrBsgLvLAa0uuHNLepLJVCFYS+xlb5U/bqw=",
    "react-dom.production.min.js": "sha256-nbMykgB6tsOFJ7OdVmPpdqMFVk4ZsqWocT6issAPUF0=",
    "react.production.min.js": "sha256-Ipu/TQ50iCCVZBUsZyNJfxrDk0E2yhaEIz0vqI+kFG8=",
}
_OWN = ("explorer.css", "explorer.js")
_STATIC = Path(__file__).parent / "static"

# GraphiQL's editor sets styles from scripts, and its fonts are data in its style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    integrity: str


@cache
def assets() -> dict[str, Asset]:
    """The files of the page by name, read once. Raises StartupError when a packed one is missing or not the known one."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StartupError(
            f"GraphiQL's files are missing: install {_PACKAGE.replace('_', '-')}, or set WEFT_GRAPHIQL=false."
        )
    packed = Path(spec.submodule_search_locations[0]) / "static" / _PACKAGE
    found = {name: _asset(packed / name) for name in _PACKED} | {name: _asset(_STATIC / name) for name in _OWN}
    for name, expected in _PACKED.items():
        if found[name].integrity != expected:
            raise StartupError(f"{packed / name} is not the file this version of Weft knows: install it again.")
    return found


@cache
def _page() -> str:
    page = (_STATIC / "explorer.html").read_text(encoding="utf-8").replace("{base}", BASE)
    for name, asset in assets().items():
        page = page.replace(f"{{{name}}}", asset.integrity)
    return page


def explorer_page() -> Response:
    return HTMLResponse(_page(), headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"})


async def explorer_asset(request: Request) -> Response:
    asset = assets().get(request.path_params["name"])
    if asset is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    headers = {"Cache-Control": "public, max-age=3600", "ETag": f'"{asset.integrity}"'}
    return Response(asset.content, headers=headers, media_type=asset.media_type)


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    media_type = "text/css" if path.suffix == ".css" else "text/javascript"
    return Asset(content, media_type, f"sha256-{b64encode(hashlib.sha256(content).digest()).decode()}")
