"""What a changed definition makes of the triggers that a workflow has."""

from dataclasses import replace
from datetime import timedelta

from triggers.sample_events import NOW

from weft.domain.definition import TriggerDefinition
from weft.domain.ids import UUID
from weft.domain.run import TriggerType
from weft.domain.trigger import Trigger
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.triggers.events.succession import successors

WORKFLOW = Workflow(
    id=UUID(int=2),
    workspace_id=UUID(int=1),
    name="A workflow",
    description="",
    category=None,
    entity_type_id=None,
    status=WorkflowStatus.ACTIVE,
    enabled=True,
    public=False,
    version_id=UUID(int=3),
    version_number=1,
    steps_count=1,
    copied_from=None,
    created_by="tests",
    created_at=NOW,
    updated_at=NOW,
    last_run_at=None,
)
LATER = NOW + timedelta(hours=1)

PDF = TriggerDefinition("document.uploaded", "PDFs", {"mimeType": "application/pdf"})
IMAGE = TriggerDefinition("document.uploaded", "Images", {"mimeType": "image/*"})
CHAT = TriggerDefinition("chat.message", "chat.message")


def first(*wanted: TriggerDefinition) -> list[Trigger]:
    return successors([], wanted, of=WORKFLOW, by="ada", now=NOW)


def then(before: list[Trigger], *wanted: TriggerDefinition) -> list[Trigger]:
    return successors(before, wanted, of=WORKFLOW, by="bob", now=LATER)


def test_new_triggers_say_what_the_definition_says() -> None:
    pdf, chat = first(PDF, replace(CHAT, enabled=False, condition="true", input={"a": "1"}, parameters={"b": "2"}))
    assert (pdf.event, pdf.name, pdf.filter, pdf.position, pdf.enabled) == (
        "document.uploaded",
        "PDFs",
        PDF.filter,
        0,
        True,
    )
    assert (chat.event, chat.condition, chat.input, chat.parameters) == ("chat.message", "true", {"a": "1"}, {"b": "2"})
    assert (chat.position, chat.enabled, chat.revision, chat.created_by) == (1, False, 1, "ada")
    assert {(one.workspace_id, one.workflow_id, one.type) for one in (pdf, chat)} == {
        (WORKFLOW.workspace_id, WORKFLOW.id, TriggerType.EVENT)
    }


def test_what_says_the_same_stays_the_same_wherever_it_stands() -> None:
    before = first(PDF, IMAGE, CHAT)
    assert then(before, PDF, IMAGE, CHAT) == before
    moved = then(before, CHAT, PDF)
    assert [(one.id, one.position, one.revision) for one in moved] == [(before[2].id, 0, 1), (before[0].id, 1, 1)]
    assert {one.updated_at for one in moved} == {NOW}


def test_what_says_something_else_is_the_next_revision() -> None:
    before = first(PDF, IMAGE)
    large = replace(IMAGE, condition="payload.size > 5")
    images, pdf = then(before, large, PDF)
    assert pdf == replace(before[0], position=1)
    assert images == replace(before[1], condition="payload.size > 5", position=0, revision=2, updated_at=LATER)


def test_one_with_another_name_is_the_successor_of_one_with_its_event() -> None:
    before = first(PDF, CHAT)
    (renamed, chat) = then(before, replace(PDF, name="Papers"), CHAT)
    assert (renamed.id, renamed.name, renamed.revision, renamed.created_by) == (before[0].id, "Papers", 2, "ada")
    assert chat == before[1]


def test_one_for_another_event_is_another_trigger() -> None:
    before = first(PDF)
    (chat,) = then(before, CHAT)
    assert chat.id != before[0].id
    assert (chat.revision, chat.created_by, chat.created_at) == (1, "bob", LATER)


def test_two_that_say_the_same_stay_two() -> None:
    before = first(PDF, PDF)
    assert [one.id for one in then(before, PDF, PDF)] == [one.id for one in before]
    assert [one.id for one in then(before, PDF)] == [before[0].id]
