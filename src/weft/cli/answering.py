"""Whether what answers at an address is the API that is meant, before it is handed a key."""

import aiohttp

from weft.auth.instance import HEADER, instance_of
from weft.domain.errors import StartupError

_OK = 200


async def unready(session: aiohttp.ClientSession, url: str, secret_key: str) -> str | None:
    """What the API at this address says while it cannot work yet, None when it can.

    Raises StartupError where something else answers.
    """
    try:
        async with session.get(f"{url}/readyz", allow_redirects=False) as reply:
            if reply.headers.get(HEADER) != instance_of(secret_key.encode()):
                raise StartupError(
                    f"Something else than this Weft answers at {url}. Choose another port with WEFT_PORT, 0 for any free one."
                )
            return None if reply.status == _OK else await reply.text()
    except aiohttp.ClientError as error:
        return str(error)
