"""A request's body as a file: the bytes as they come, and what the headers say about them."""

import re
from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect, Request

from weft.domain.errors import ErrorCode, Problem
from weft.operations.file_intake import digest_of
from weft.operations.import_upload import UploadBroken

_MEMBER = re.compile(r"\s*([A-Za-z0-9-]+)=:?([A-Za-z0-9+/]+={0,2}):?\s*")


async def body_of(request: Request) -> AsyncGenerator[bytes]:
    try:
        async for data in request.stream():
            if data:
                yield data
    except ClientDisconnect as error:
        raise UploadBroken("The connection broke off.") from error


def size_of(request: Request) -> int | None:
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() else None


def digests_of(request: Request) -> dict[str, bytes]:
    """What the file has to come to, by `Content-MD5` (RFC 1864), `Digest` (RFC 3230), `Content-Digest` and `Repr-Digest`
    (RFC 9530). Kinds that are not known are passed over, as those say. Raises Invalid for what is not Base64.
    """
    found: dict[str, bytes] = {}
    if (md5 := request.headers.get("content-md5")) is not None:
        found["md5"] = digest_of(md5.strip())
    for header in ("digest", "content-digest", "repr-digest"):
        for member in request.headers.get(header, "").split(","):
            if (matched := _MEMBER.fullmatch(member)) and (name := matched[1].lower()) in {"sha-256", "md5"}:
                found[name] = digest_of(matched[2])
    return found


def foreign_body(request: Request) -> Problem | None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return Problem(ErrorCode.INVALID, "The body is compressed.", hint="Send the file as it is.")
    if "content-range" in request.headers:  # sent by `curl -C`, and refused as RFC 9110 (14.5) asks
        return Problem(ErrorCode.INVALID, "The body is a part of a file.", hint="Send the whole file, from its start.")
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        return Problem(
            ErrorCode.INVALID,
            "The body is a form.",
            hint="Send the file itself as the body: `curl -T file url`, not `curl -F`.",
        )
    return None
