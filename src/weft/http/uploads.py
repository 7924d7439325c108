"""Files of documents that come in: `PUT /files/uploads/{id}/{token}` takes the file of an upload.

The link is the credential: its token is made for one upload and expires. The body is the file itself: `curl -T invoice.pdf
"$uploadUrl"`. The answer is JSON in every case: `upload` says what was received, `errors` what has to be put right. A
file that is not taken leaves nothing behind, and the same link takes it again.

| status | meaning |
|---|---|
| 200 | received and stored; sending the same file again changes nothing |
| 400 | the upload broke off: send the file again |
| 404 | the link is not good, or has expired |
| 409 | the upload has received another file, or became a document |
| 413 | the file is larger than allowed, or the workspace has no room for it |
| 415 | the body is not the plain file |
| 422 | the file is not what it was said to be: by createUpload, or by `Content-MD5`, `Digest`, `Content-Digest` |
| 503 | the file store or the database is away: send the file again soon |
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weft.domain.errors import CallerError, Conflict, ErrorCode, LimitExceeded, NotFound, Problem
from weft.domain.files import Upload
from weft.domain.ids import UUID
from weft.http.bodies import body_of, digests_of, foreign_body, size_of
from weft.integrations.store_errors import StoreUnavailable
from weft.kit.json import dump_bytes
from weft.operations.file_intake import Said, receive_upload
from weft.operations.import_upload import UploadBroken
from weft.operations.services import Services
from weft.storage.outage import note_outage, outage

logger = structlog.stdlib.get_logger(__name__)

_AGAIN = "Send the file to the same link again."
_STATUSES: dict[type[CallerError], int] = {NotFound: 404, Conflict: 409, LimitExceeded: 413}


def routes(services: Services) -> list[Route]:
    async def put_upload(request: Request) -> Response:
        return await _receive(services, request)

    return [Route("/files/uploads/{id:uuid}/{token}", put_upload, methods=["PUT"], name="file upload")]


async def _receive(services: Services, request: Request) -> Response:
    if (problem := foreign_body(request)) is not None:
        return _answer(415, problems=[problem])
    upload_id = UUID(str(request.path_params["id"]))
    token = quote(str(request.path_params["token"]), safe="")  # ASCII, as a token is: what is none simply does not fit
    try:
        said = Said(size_of(request), digests_of(request))
        received = await receive_upload(services, upload_id, token, body_of(request), said)
    except CallerError as error:
        return _answer(_STATUSES.get(type(error), 422), problems=error.problems)
    except UploadBroken as error:
        return _answer(400, problems=[Problem(ErrorCode.INVALID, str(error), hint=_AGAIN)])
    except Exception as error:  # noqa: BLE001 - the answer is JSON in every case; the log has the fault
        return _failed(upload_id, error)
    return _answer(200, received)


def _failed(upload_id: UUID, error: Exception) -> Response:
    if isinstance(error, StoreUnavailable):
        logger.warning("A file could not be stored.", upload_id=str(upload_id), reason=str(error))
        return _answer(503, problems=[{"code": "UNAVAILABLE", "message": str(error), "hint": _AGAIN}])
    if (told := outage(error)) is not None:
        note_outage(error)
        return _answer(503, problems=[{"code": "UNAVAILABLE", "message": told, "hint": _AGAIN}])
    logger.error("An upload has failed.", upload_id=str(upload_id), exc_info=error)
    return _answer(500, problems=[{"code": "INTERNAL", "message": "Something went wrong here.", "hint": _AGAIN}])


def _answer(status: int, received: Upload | None = None, problems: Sequence[Problem | dict[str, Any]] = ()) -> Response:
    body = {"upload": None if received is None else summary(received), "errors": problems}
    return Response(dump_bytes(body), status, media_type="application/json")


def summary(received: Upload) -> dict[str, Any]:
    return {
        "status": received.status,
        "name": received.name,
        "size": received.size,
        "sha256": received.sha256,
    }
