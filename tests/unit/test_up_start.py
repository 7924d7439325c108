"""What `weft up` finds wrong before it starts anything, and what it says of the explorer."""

from pathlib import Path

import pytest

from weft.cli.up import everything, welcome
from weft.domain.errors import StartupError
from weft.settings import Settings

OFF = "  Explorer  off: WEFT_TRUSTED_DOCUMENTS (WEFT_OTHER_DOCUMENTS=admin opens it for admins)"
ON = "  Explorer  http://here/graphql#key=weft_key"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, ON),
        ({"trusted_documents": "documents"}, OFF),
        ({"trusted_documents": "documents", "other_documents": "admin"}, ON),
        ({"trusted_documents": "documents", "graphiql": False}, None),
    ],
    ids=["all", "trusted", "others for admins", "switched off"],
)
def test_the_explorer_is_named_where_there_is_one(settings: dict[str, object], line: str | None) -> None:
    lines = welcome(Settings.model_validate(settings), "http://here", "weft_key").splitlines()
    assert [one for one in lines if "Explorer" in one] == ([] if line is None else [line])


@pytest.mark.parametrize(
    ("content", "told"),
    [('{"a": 3}', "The trusted document 'a' in .* has to be text"), (None, "names .*, which does not exist\\.$")],
    ids=["no text", "no file"],
)
async def test_trusted_documents_that_cannot_be_used_end_it_before_anything_starts(
    tmp_path: Path, content: str | None, told: str
) -> None:
    path = tmp_path / "trusted.json"
    if content is not None:
        path.write_text(content)
    settings = Settings(data_dir=tmp_path / "data", trusted_documents=path)
    with pytest.raises(StartupError, match=told):
        async with everything(settings):
            pass
    assert not (tmp_path / "data").exists()
