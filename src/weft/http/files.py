"""Files of entities that come in: `PUT /files/imports/{id}/{token}` takes the file of an import.

The link is the credential: its token is made for one import and expires. The body is the file itself, of any size, read as it
arrives: `curl -T airports.jsonl "$uploadUrl"`. The answer is JSON in every case: `import` says how far it came, `errors`
what has to be put right.

| status | meaning |
|---|---|
| 200 | read to the end; single rows may have failed, see `import.failed` |
| 400 | the upload broke off: send the same file again to go on behind what is stored |
| 404 | the link is not good, or has expired |
| 409 | another upload of this import is under way, or it has ended |
| 415 | the body is not the plain file |
| 422 | the file as a whole cannot be used |
| 503 | the database is away: send the same file again soon |
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weft.domain.errors import CallerError, Conflict, ErrorCode, NotFound, Problem
from weft.domain.ids import UUID
from weft.domain.imports import Import, ImportStatus
from weft.http.bodies import body_of, foreign_body, size_of
from weft.kit.json import dump_bytes
from weft.operations.import_upload import UploadBroken
from weft.operations.imports import receive_file
from weft.operations.services import Services
from weft.storage.outage import note_outage, outage

logger = structlog.stdlib.get_logger(__name__)

_AGAIN = "Send the same file to the same link again: it goes on behind what is stored."


def routes(services: Services) -> list[Route]:
    async def put_import(request: Request) -> Response:
        return await _receive(services, request)

    return [Route("/files/imports/{id:uuid}/{token}", put_import, methods=["PUT"], name="import upload")]


async def _receive(services: Services, request: Request) -> Response:
    if (problem := foreign_body(request)) is not None:
        return _answer(415, problems=[problem])
    import_id = UUID(str(request.path_params["id"]))
    token = quote(str(request.path_params["token"]), safe="")  # ASCII, as a token is: what is none simply does not fit
    try:
        ended = await receive_file(services, import_id, token, body_of(request), size_of(request))
    except NotFound as error:
        return _answer(404, problems=error.problems)
    except Conflict as error:
        return _answer(409, problems=error.problems)
    except CallerError as error:
        return _answer(422, problems=error.problems)
    except UploadBroken as error:
        return _answer(400, problems=[Problem(ErrorCode.INVALID, str(error), hint=_AGAIN)])
    except Exception as error:  # noqa: BLE001 - the answer is JSON in every case; the log has the fault
        return _stopped(import_id, error)
    if ended.status is ImportStatus.FAILED:
        return _answer(422, ended, [Problem(ErrorCode.INVALID, ended.error or "The file cannot be used.")])
    return _answer(200, ended)


def _stopped(import_id: UUID, error: Exception) -> Response:
    if (told := outage(error)) is not None:
        note_outage(error)
        return _answer(503, problems=[{"code": "UNAVAILABLE", "message": told, "hint": _AGAIN}])
    logger.error("An import has stopped.", import_id=str(import_id), exc_info=error)
    return _answer(500, problems=[{"code": "INTERNAL", "message": "Something went wrong here.", "hint": _AGAIN}])


def _answer(status: int, ended: Import | None = None, problems: Sequence[Problem | dict[str, Any]] = ()) -> Response:
    body = {"import": None if ended is None else summary(ended), "errors": problems}
    return Response(dump_bytes(body), status, media_type="application/json")


def summary(ended: Import) -> dict[str, Any]:
    return {
        "status": ended.status,
        "rowsRead": ended.rows_read,
        "created": ended.created,
        "updated": ended.updated,
        "skipped": ended.skipped,
        "failed": ended.failed,
        "bytesRead": ended.bytes_read,
        "error": ended.error,
    }
