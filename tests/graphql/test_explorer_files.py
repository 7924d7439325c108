"""The files of GraphiQL: built from `web`, served by this server alone, kept by browsers, in every installation."""

import gzip
import json
import re
import shutil
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from node import install_packages, needs_node, run_node

from weft.domain.errors import StartupError
from weft.graphql import explorer

ROOT = Path(__file__).parent.parent.parent
WEB, STATIC = ROOT / "web", ROOT / "src/weft/graphql/static"
PAGE = {"Accept": "text/html"}


async def test_the_page_names_files_of_this_server_alone_by_their_digests(api: Any) -> None:
    async with api.session.get(api.url, headers=PAGE) as response:
        page = await response.text()
        assert response.content_type == "text/html"
        policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-cache"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "//" not in page
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) == 3
    for address in addresses:
        url = urljoin(api.url, address)
        async with api.session.get(url, headers={"Accept-Encoding": "identity"}) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            content = await response.read()
        assert sha256(content).hexdigest()[:16] in address
        async with api.session.head(url) as response:
            assert (response.status, await response.read()) == (200, b"")
        async with api.session.get(url, headers={"If-None-Match": response.headers["ETag"]}) as unchanged:
            assert unchanged.status == 304
        assert urljoin("https://weft.example/below/graphql", address).startswith("https://weft.example/below/graphql/")


async def test_files_go_compressed_to_whoever_takes_that(api: Any) -> None:
    script = explorer.assets()["explorer.js"]
    url = f"{api.url}/explorer/{script.name}"
    async with api.session.get(url, headers={"Accept-Encoding": "br, gzip"}, auto_decompress=False) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Vary"].startswith("Accept-Encoding")
        sent = await response.read()
    assert gzip.decompress(sent) == script.content
    assert len(sent) < 500_000


async def test_what_is_no_file_of_the_page_is_not_found(api: Any) -> None:
    for name in (
        "explorer.js",
        "explorer.0000000000000000.js",
        "explorer.html",
        "..%2f..%2fexplorer.py",
        "../../secret",
    ):
        async with api.session.get(f"{api.url}/explorer/{name}") as response:
            assert response.status == 404


async def test_only_who_asks_for_a_page_gets_it(api: Any) -> None:
    async with api.session.get(api.url, params={"query": "{ __typename }"}) as response:
        assert (await response.json())["data"] == {"__typename": "Query"}
    async with api.session.post(api.url, headers=PAGE, json={"query": "{ __typename }"}) as response:
        assert "html" not in response.content_type


def test_a_missing_file_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(STATIC / "explorer.css", tmp_path)
    monkeypatch.setattr(explorer, "_STATIC", tmp_path)
    explorer.assets.cache_clear()
    with pytest.raises(StartupError, match=r"explorer\.js is missing"):
        explorer.routes()


def test_the_notices_name_every_package_that_is_built_in() -> None:
    notices = (STATIC / "third-party.txt").read_text(encoding="utf-8")
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in {**wanted, "codemirror": "5."}.items():
        assert f"\n{name} {version}" in notices
    assert "Copyright (c) Meta Platforms, Inc. and affiliates." in notices
    assert "Copyright (c) 2021 GraphQL Contributors" in notices


def test_the_lock_file_names_exact_versions_and_no_addresses() -> None:
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = (wanted["dependencies"] | wanted["devDependencies"]).values()
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    locked = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert "http" not in locked
    assert "resolved" not in locked


@pytest.mark.timeout(400)  # packages may have to be installed first
@needs_node
async def test_the_served_files_are_what_the_sources_build(tmp_path: Path) -> None:
    install_packages(WEB)
    assert await run_node("node_modules/typescript/bin/tsc", folder=WEB, seconds=120) == ""
    await run_node("build.js", str(tmp_path / "built"), folder=WEB)
    built = {path.name: sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "built").iterdir()}
    assert built == {path.name: sha256(path.read_bytes()).hexdigest() for path in STATIC.iterdir()}, "Run `make web`."


def test_wheel_and_source_distribution_bring_the_files() -> None:
    """Both take what these patterns find."""
    described = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = described["tool"]["setuptools"]["package-data"]["weft"]
    packed = {path for pattern in patterns for path in (ROOT / "src/weft").glob(pattern)}
    assert set(STATIC.iterdir()) <= packed
