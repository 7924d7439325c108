"""Values written into a document: what is wrong with them is said as it is for variables."""

import pytest
from asking import ask_anything

from weft.domain.access import Viewer
from weft.operations.services import Services


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('mutation { runWorkflow(input: {workflowId: "x", wait: "5s"}) { run { id } } }', "'5s' is not a duration"),
        ('mutation { runWorkflow(input: {workflowId: "x", wait: 5}) { run { id } } }', "is not a duration"),
        ('{ runs(filter: {createdAfter: "yesterday"}) { totalCount } }', "'yesterday' is not a time"),
    ],
)
async def test_a_wrong_value_in_the_document_is_named(
    services: Services, viewer: Viewer, document: str, said: str
) -> None:
    _, errors = await ask_anything(services, viewer, document)
    assert said in errors[0]["message"]
    assert errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
