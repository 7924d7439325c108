"""Every command as somebody types it, with right settings and with wrong ones; and the processes of production."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from acceptance.command_line import data_folder, finished, is_there, started
from acceptance.runs import begin_run, end_of

from weft.cli.demonstration.client import Api
from weft.cli.up import free_port
from weft.embedded import EmbeddedServices

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

SECRET = "a secret only for tests, of 32 characters or more"
NOWHERE = {
    "WEFT_DATABASE_URL": "postgresql://weft:password@127.0.0.1:1/weft",
    "WEFT_REDIS_URL": "redis://:password@127.0.0.1:1/0",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as made:
        yield made


@pytest.fixture(scope="module")
async def outside() -> AsyncIterator[dict[str, str]]:
    """What docker-compose.yml gives its containers, for services that are not in their data folder."""
    with data_folder() as folder:
        async with EmbeddedServices(folder, durable=False) as services:
            yield {
                # As providers write it: no name of a driver, and libpq's parameter.
                "WEFT_DATABASE_URL": f"postgres://{services.database_url.partition('://')[2]}&sslmode=prefer",
                "WEFT_REDIS_URL": services.redis_url,
                "WEFT_SECRET_KEY": SECRET,
            }


async def test_help_names_every_command(folder: Path) -> None:
    told = await finished(folder, "--help")
    assert told.status == 0
    for command in ("up", "demo", "api", "worker", "migrate", "schema", "keys"):
        assert f"\n  {command} " in told.output
    assert not is_there(folder)


async def test_each_wrong_setting_is_one_sentence_with_its_name_and_without_secrets(folder: Path) -> None:
    wrong = {
        "WEFT_DATABASE_URL": ("mysql://u:password@h/d", "has to begin with postgresql://."),
        "WEFT_REDIS_URL": ("http://:password@h", "has to begin with redis://, rediss:// or unix://."),
        "WEFT_ALLOWED_ORIGINS": (
            "localhost:3000",
            "is 'localhost:3000', and has to list origins, such as https://app.example.com: 'localhost:3000' is none.",
        ),
        "WEFT_PUBLIC_URL": ("foo", "is 'foo', and has to begin with http:// or https://."),
        "WEFT_SECRET_KEY": ("password", "has to have at least 32 characters."),
        "WEFT_PORT": ("http", "is 'http', and has to be a whole number."),
        "WEFT_WORKERS": ("0", "is '0', and has to be 1 or more."),
        "WEFT_LEASE_SECONDS": ("soon", "is 'soon', and has to be a number."),
        "WEFT_LOG_LEVEL": ("loud", "is 'loud', and has to be one of 'debug', 'info', 'warning' or 'error'."),
        "WEFT_GRAPHIQL": ("maybe", "is 'maybe', and has to be true or false."),
    }
    ended = await finished(folder, "migrate", settings={name: value for name, (value, _) in wrong.items()})
    assert ended.status == 1
    assert set(ended.errors.splitlines()) == {f"weft: {name} {said}" for name, (_, said) in wrong.items()}


async def test_processes_without_settings_say_which_they_need(folder: Path) -> None:
    api, worker = await asyncio.gather(finished(folder, "api"), finished(folder, "worker"))
    keyless = await finished(folder, "api", settings=NOWHERE)
    assert api.refused
    assert worker.refused
    assert "WEFT_DATABASE_URL and WEFT_REDIS_URL" in api.errors
    assert "WEFT_DATABASE_URL and WEFT_REDIS_URL" in worker.errors
    assert keyless.refused
    assert "WEFT_SECRET_KEY" in keyless.errors


async def test_commands_without_a_database_say_where_one_was_looked_for(folder: Path) -> None:
    for command in (("migrate",), ("migrate", "--check")):
        assert (await finished(folder, *command)).errors == (
            f"weft: There is no database: WEFT_DATABASE_URL is not set, and {folder} does not exist. Start: weft up\n"
        )
    assert "There is no secret key" in (await finished(folder, "keys", "create")).errors
    assert not is_there(folder)


async def test_services_that_cannot_be_reached_are_named_quickly_and_without_their_passwords(
    folder: Path, outside: dict[str, str]
) -> None:
    database = "PostgreSQL at 127.0.0.1:1/weft cannot be used: Connection refused"
    for command in (("migrate",), ("migrate", "--check"), ("keys", "create")):
        ended = await finished(folder, *command, settings={**NOWHERE, "WEFT_SECRET_KEY": SECRET})
        assert (ended.status, ended.errors) == (1, f"weft: {database}\n")
    ended = await finished(folder, "up", settings=outside | {"WEFT_DATABASE_URL": NOWHERE["WEFT_DATABASE_URL"]})
    assert (ended.status, ended.errors) == (1, f"weft: {database}\n")
    ended = await finished(folder, "up", settings=outside | {"WEFT_REDIS_URL": NOWHERE["WEFT_REDIS_URL"]})
    assert ended.refused
    assert "Redis at 127.0.0.1 (WEFT_REDIS_URL) cannot be used: " in ended.errors
    assert "password" not in ended.errors


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("&nonsense=1", "unexpected keyword argument 'nonsense'"),
        ("&user=somebody", 'role "somebody" does not exist'),
    ],
)
async def test_a_database_url_that_opens_nothing_is_one_sentence(
    folder: Path, outside: dict[str, str], parameters: str, said: str
) -> None:
    ended = await finished(folder, "migrate", settings={"WEFT_DATABASE_URL": outside["WEFT_DATABASE_URL"] + parameters})
    assert ended.refused
    assert said in ended.errors


async def test_the_schema_is_printed_written_and_compared(folder: Path, tmp_path: Path) -> None:
    printed = await finished(folder, "schema", cwd=tmp_path)
    missing = await finished(folder, "schema", "--check", cwd=tmp_path)
    written = await finished(folder, "schema", "--write", cwd=tmp_path)
    same = await finished(folder, "schema", "--check", cwd=tmp_path)
    file = tmp_path / "schema.graphql"
    changed = file.read_text().replace("type Viewer {", "type Viewer {\n  shoeSize: Int")
    assert file.read_text() == printed.output
    file.write_text(changed)
    broken = await finished(folder, "schema", "--check", cwd=tmp_path)
    assert [end.status for end in (printed, missing, written, same, broken)] == [0, 1, 0, 0, 1]
    assert "There is no schema.graphql" in missing.errors
    assert "breaks clients: Field Viewer.shoeSize was removed" in broken.errors


async def test_the_processes_of_production_run_a_workflow_with_the_settings_of_docker_compose_only(
    folder: Path, outside: dict[str, str]
) -> None:
    early = await asyncio.gather(
        finished(folder, "migrate", "--check", settings=outside),
        finished(folder, "keys", "create", settings=outside),
        *(finished(folder, command, settings=outside) for command in ("api", "worker")),
    )
    assert [end.status for end in early] == [1, 1, 78, 78]
    assert all("this version" in end.errors and "Traceback" not in end.errors for end in early)
    migrated = await asyncio.gather(*(finished(folder, "migrate", settings=outside) for _ in range(2)))
    assert [end.status for end in migrated] == [0, 0]
    assert (await finished(folder, "migrate", "--check", settings=outside)).status == 0
    key = (await finished(folder, "keys", "create", settings=outside)).output.strip()
    port = str(free_port("127.0.0.1", 0))
    async with AsyncExitStack() as closing:
        processes = [
            await closing.enter_async_context(started(folder, command, settings=outside | {"WEFT_PORT": port}))
            for command in ("api", "worker", "worker")
        ]
        api = await closing.enter_async_context(Api.connected(f"http://127.0.0.1:{port}", key))
        await _listens(int(port))
        run = await begin_run(api, items=2_000)
        assert (await end_of(api, run))["completed"] == 2_000
        for process in processes:
            process.terminate()
        for process in processes:
            await asyncio.wait_for(process.communicate(), 30)
        # uvicorn ends by the signal it was sent, once everything is closed.
        assert [process.returncode for process in processes] == [-15, 0, 0]
    assert not is_there(folder)


async def _listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
