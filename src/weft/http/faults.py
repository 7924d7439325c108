"""What nobody expected, outside GraphQL: the log has it with its stack, the client gets the request id to ask by."""

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse

from weft.http.request_id import without_link

logger = structlog.stdlib.get_logger(__name__)


async def internal_fault(request: Request, error: Exception) -> JSONResponse:
    request_id = request.scope.get("request_id")
    logger.error("A request failed", path=without_link(request.url.path), request_id=request_id, exc_info=error)
    fault = {"message": "Something went wrong on the server.", "code": "INTERNAL", "requestId": request_id}
    return JSONResponse({"errors": [fault]}, status_code=500)
