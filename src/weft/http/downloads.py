"""Files of documents, out again: `GET /files/documents/{workspace}/{entity}?expires=…&signature=…`.

The link is the credential: `file { downloadUrl }` signs it for some minutes. A browser saves what it gets and never runs it, whatever
a stranger has uploaded: it is an attachment, its type is not guessed, and a sandbox holds it. Parts of it (`Range`) and
questions whether it changed (`If-None-Match`) are answered; what is refused is JSON.
"""

from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from weft.domain.errors import ErrorCode, NotFound, Problem
from weft.domain.files import DocumentFile, object_key
from weft.domain.ids import UUID
from weft.integrations.object_store import ObjectStore
from weft.integrations.store_errors import NotStored, StoreUnavailable
from weft.kit.json import dump_bytes
from weft.operations.downloads import DownloadLink, find_download
from weft.operations.services import Services
from weft.storage.outage import note_outage, outage

logger = structlog.stdlib.get_logger(__name__)

_LONGEST_NUMBER = 12


def routes(services: Services) -> list[Route]:
    async def get_document(request: Request) -> Response:
        return await _answer(services, request)

    path = "/files/documents/{workspace:uuid}/{entity:uuid}"
    return [Route(path, get_document, methods=["GET"], name="file download")]


async def _answer(services: Services, request: Request) -> Response:
    expires = request.query_params.get("expires", "")
    link = DownloadLink(
        UUID(str(request.path_params["workspace"])),
        UUID(str(request.path_params["entity"])),
        expires if expires.isascii() and expires.isdigit() and len(expires) <= _LONGEST_NUMBER else "0",
        request.query_params.get("signature", ""),
    )
    try:
        file = await find_download(services, link)
    except NotFound as error:
        return _refused(404, *error.problems)
    except Exception as error:
        if (told := outage(error)) is None:
            raise
        note_outage(error)
        return _refused(503, {"code": "UNAVAILABLE", "message": told})
    headers = _headers(file)
    if _has_it(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _StoredFileResponse(services.world.files, file, headers)


class _StoredFileResponse(Response):
    """The file is held open in the store for as long as it is being sent."""

    def __init__(self, store: ObjectStore, file: DocumentFile, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self._store = store
        self._file = file
        self._sent = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._store.local(object_key(self._file.workspace_id, self._file.sha256)) as path:
                response = FileResponse(path, headers=self._sent, media_type=self._file.mime_type)
                await response(scope, receive, send)
        except NotStored:
            logger.exception("A file is missing in the store.", entity_id=str(self._file.entity_id))
            await _refused(404, Problem(ErrorCode.NOT_FOUND, "The file is no longer there."))(scope, receive, send)
        except StoreUnavailable as error:
            await _refused(503, {"code": "UNAVAILABLE", "message": str(error)})(scope, receive, send)


def _headers(file: DocumentFile) -> dict[str, str]:
    return {
        "Content-Disposition": disposition(file.name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{file.sha256}"',
    }


def disposition(name: str) -> str:
    """An attachment of this name, as RFC 6266 has it: in ASCII for old clients, and as RFC 8187 spells any other."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%/' else "_" for c in name)
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{exact}'


def _has_it(known: str, etag: str) -> bool:
    """By RFC 9110, 13.1.2: a weak mark counts as well."""
    return known.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in known.split(",")}


def _refused(status: int, problem: Problem | dict[str, str]) -> Response:
    return Response(dump_bytes({"errors": [problem]}), status, media_type="application/json")
