"""What README.md, the Makefile and docker-compose.yml say of commands, settings and folders is what is there."""

import re

from readme import ROOT, TEXT, block, blocks

from weft.cli.main import COMMANDS
from weft.settings import Settings

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SETTINGS = {name for name, _, _ in Settings.variables()}
FOR_COMPOSE = {"WEFT_API_PORTS", "WEFT_APIS", "WEFT_WORKERS"}
"""What only docker-compose.yml reads. A setting of the same name is that of `weft up`."""


def test_the_readme_names_every_make_target_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    shown = {target for shell in blocks("sh") for target in re.findall(r"\bmake (\w+)", shell.code)}
    assert shown == set(phony[1].split())
    assert shown == set(re.findall(r"^(\w+):.*## ", makefile, re.MULTILINE))


def test_the_readme_names_every_command_and_no_other() -> None:
    told = re.search(r"^ +cli/ +the commands: (.*)$", TEXT, re.MULTILINE)
    assert told is not None
    assert tuple(told[1].split(", ")) == COMMANDS
    assert set(re.findall(r"`weft (\w+)", TEXT)) <= set(COMMANDS)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(WEFT_\w+)` \| (?:`(.*?)`)? ?\| (.*) \|$", TEXT, re.MULTILINE)
    assert rows == Settings.variables()


def test_the_map_shows_every_folder_and_no_other() -> None:
    shown = re.findall(r"^( *)([\w/]+)/(?: |$)", block("text", "src/weft/").code, re.MULTILINE)
    packages = {path.parent.name for path in (ROOT / "src/weft").glob("*/__init__.py")}
    assert {name for indent, name in shown if indent} == packages
    tops = {name.split("/")[0] for indent, name in shown if not indent}
    assert tops == _folders()


def _folders() -> set[str]:
    """Those of the project: not what .gitignore names, and not what begins with a dot."""
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()}
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    return found - ignored


def test_the_links_in_the_readme_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_compose_file_sets_known_settings_and_starts_known_commands() -> None:
    assert set(re.findall(r"^ +(WEFT_\w+):", COMPOSE, re.MULTILINE)) <= SETTINGS
    assert set(re.findall(r"\$\{(WEFT_\w+)", COMPOSE)) <= SETTINGS | FOR_COMPOSE
    services = re.split(r"^  (?=\w+:$)", COMPOSE, flags=re.MULTILINE)
    commands = {re.search(r"^    command: \[(\w+)\]$", one, re.MULTILINE) for one in services if "<<: *weft\n" in one}
    assert {found[1] if found else None for found in commands} == {"migrate", "api", "worker"}
    assert {"migrate", "api", "worker"} <= set(COMMANDS)


def test_the_production_commands_fit_the_compose_file() -> None:
    production = block("sh", "docker compose").code
    assert set(re.findall(r"\b(WEFT_\w+|POSTGRES_PASSWORD)=", production)) <= {*SETTINGS, "POSTGRES_PASSWORD"}
    for variable in re.findall(r"\$\{(\w+):\?", COMPOSE):
        assert f"{variable}=" in production
    for service, command in re.findall(r"compose run --rm (\w+) (\w+)", production):
        assert f"\n  {service}:\n" in COMPOSE
        assert command in COMMANDS
