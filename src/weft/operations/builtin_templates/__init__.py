"""The templates that every workspace has: one JSON file each, its name is the template's id.

`name`, `description`, `category`, `entitySchema` (the shape of the entities it expects; its `title` names the entity type
that is made) or `"entityType": "document"` for uploaded files, `parametersSchema` and `definition`, with places for parameters
as `weft.operations.template_filling` tells.
"""

from functools import cache
from importlib.resources import files

from weft.domain.files import DOCUMENT_SCHEMA, DOCUMENT_TYPE
from weft.domain.workflow import Template
from weft.kit.json import loads

_OF_DOCUMENTS = {"title": DOCUMENT_TYPE, **DOCUMENT_SCHEMA}


@cache
def builtin_templates() -> tuple[Template, ...]:
    """In the order of their ids."""
    found = sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith(".json")), key=lambda file: file.name
    )
    return tuple(_read(file.name.removesuffix(".json"), file.read_bytes()) for file in found)


def _read(slug: str, text: bytes) -> Template:
    written = loads(text)
    return Template(
        id=slug,
        workspace_id=None,
        name=written["name"],
        description=written["description"],
        category=written["category"],
        definition=written["definition"],
        entity_schema=_OF_DOCUMENTS if written.get("entityType") == DOCUMENT_TYPE else written.get("entitySchema"),
        parameters_schema=written.get("parametersSchema"),
        created_at=None,
    )
