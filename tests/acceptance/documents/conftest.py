"""One Weft for the five documents: an API and a worker as processes, and around them what they send to and ask.

Each document has a workspace of its own in it, so that its lists hold what it made and nothing else.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from acceptance.documents.house import House
from acceptance.documents.inbox import inbox
from acceptance.system import running_system
from integrations.mail_servers import Postbox, mail_server
from model_servers import model_server


@pytest.fixture(scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("documents")
    async with AsyncExitStack() as stack:
        postbox = await stack.enter_async_context(mail_server(Postbox()))
        system = await stack.enter_async_context(
            running_system(
                folder / "services",
                workers=1,
                WEFT_FILES_URL=str(folder / "files"),
                WEFT_SQLITE_FOLDER=str(folder / "sqlite"),
                WEFT_ALLOWED_HOSTS="127.0.0.1",
                WEFT_SMTP_URL=f"smtp+insecure://127.0.0.1:{postbox.port}",
                WEFT_MAIL_FROM="weft@example.com",
            )
        )
        yield House(
            system,
            folder / "sqlite",
            await stack.enter_async_context(model_server()),
            await stack.enter_async_context(inbox()),
            postbox,
        )
