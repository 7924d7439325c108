"""One of everything, made on demand in a workspace: what ids in `rights.py` stand for.

A noun is a mutation that makes it; what that one needs is made before it. The first id in its answer is the noun's. Where no
mutation does, it is a function.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from architecture.rights import CONFIG, DEFINITION, TRIGGERED
from asking import ask
from workers import working

from weft.domain.access import Viewer
from weft.domain.ids import new_id
from weft.domain.run import TriggerType
from weft.domain.trigger import FiringOutcome
from weft.graphql.nodes import encode_id, read_id
from weft.operations.file_intake import Said, receive_upload
from weft.operations.services import Services
from weft.operations.uploads import NewUpload, create_upload
from weft.storage import firings
from weft.storage.firings import NewFiring

SCHEMA = '{type: "object", properties: {number: {type: "integer"}}}'
FAILING = """{steps: [{id: "check", type: "validate",
  config: {rules: [{name: "never", expression: "false", message: "no"}], onInvalid: "FAIL"}}]}"""
PLACEHOLDER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Belongings:
    """What belongs to the viewer's workspace. Every text that was given begins with `mark`."""

    services: Services
    viewer: Viewer
    mark: str

    async def filled(self, call: str) -> str:
        """The call with everything made that it names."""
        return await self._with(call, PLACEHOLDER.findall(call))

    async def with_ids(self, call: str) -> str:
        """The call with the ids of this workspace in it: names and texts are left to whoever calls."""
        return await self._with(call, [name for name in PLACEHOLDER.findall(call) if name in MAKERS])

    async def _with(self, call: str, names: list[str]) -> str:
        made = {name: await self.one(name) for name in dict.fromkeys(names)}
        return PLACEHOLDER.sub(lambda found: f'"{made[found[1]]}"' if found[1] in made else found[0], call)

    async def one(self, name: str) -> str:
        """The id of a new one of this noun, or a text."""
        if name == "text":
            return f"{self.mark} {new_id().hex}"
        if name == "file":
            return f"{new_id().hex}.db"
        maker = MAKERS[name]
        if callable(maker):
            return await maker(self)
        (answer,) = (await ask(self.services, self.viewer, f"mutation {{ {await self.filled(maker)} }}")).values()
        found = _first_id(answer)
        assert found, (name, answer)
        return found


def _first_id(answer: Any) -> str | None:
    match answer:
        case {"id": str(found)}:
            return found
        case dict():
            return next((found for one in answer.values() if (found := _first_id(one))), None)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - plain JSON
        case list():
            return next((found for one in answer if (found := _first_id(one))), None)  # pyright: ignore[reportUnknownVariableType] - as above
        case _:
            return None


async def _received_upload(belongings: Belongings) -> str:
    services = belongings.services
    created = await create_upload(services, belongings.viewer, NewUpload(f"{belongings.mark}.txt"))
    token = created.upload_url.rpartition("/")[2]

    async def content() -> AsyncIterator[bytes]:
        yield new_id().bytes

    await receive_upload(services, created.made.id, token, content(), Said())
    return encode_id("Upload", created.made.id)


def _run_of(workflow: str) -> "Maker":
    """A run that is over."""

    async def make(belongings: Belongings) -> str:
        return await _carried_out(belongings, workflow)

    return make


async def _carried_out(belongings: Belongings, workflow: str) -> str:
    call = await belongings.filled(
        f'runWorkflow(input: {{workflowId: ${workflow}, wait: "PT20S"}}) {{ run {{ id status }} }}'
    )
    async with working(belongings.services) as served:
        answer = await ask(served, belongings.viewer, f"mutation {{ {call} }}")
    return answer["runWorkflow"]["run"]["id"]


async def _firing(belongings: Belongings) -> str:
    workflow_id, trigger_id = await belongings.one("Workflow"), await belongings.one("EventTrigger")
    async with belongings.services.database.transaction() as connection:
        new = NewFiring(
            workspace_id=belongings.viewer.workspace_id,
            workflow_id=read_id(workflow_id, "Workflow"),
            trigger_type=TriggerType.EVENT,
            trigger_id=read_id(trigger_id, "EventTrigger"),
            trigger_name=belongings.mark,
            outcome=FiringOutcome.REFUSED,
            event_id=read_id(await belongings.one("Event"), "Event"),
            reason=belongings.mark,
        )
        await firings.add(connection, [new])
    found = await ask(belongings.services, belongings.viewer, "{ firings(first: 1) { nodes { id } } }")
    return found["firings"]["nodes"][0]["id"]


Maker = str | Callable[[Belongings], Awaitable[str]]

MAKERS: dict[str, Maker] = {
    "ApiKey": "createApiKey(input: {name: $text, role: VIEWER}) { apiKey { id } }",
    "EntityType": f"createEntityType(input: {{name: $text, schema: {SCHEMA}}}) {{ entityType {{ id }} }}",
    "Entity": """createEntities(input: {entityTypeId: $EntityType,
      entities: [{data: {number: 1}, externalId: $text}]}) { entities { id } }""",
    "Import": "createImport(input: {entityTypeId: $EntityType, format: JSONL}) { import { id } }",
    "Upload": "createUpload(input: {name: $text}) { upload { id } }",
    "ReceivedUpload": _received_upload,
    "Workflow": f"""createWorkflow(input: {{name: $text, category: "tests", definition: {DEFINITION}}}) {{
      workflow {{ id }} }}""",
    "BusyWorkflow": "runWorkflow(input: {workflowId: $Workflow}) { run { workflow { id } } }",
    "FailingWorkflow": f"createWorkflow(input: {{name: $text, definition: {FAILING}}}) {{ workflow {{ id }} }}",
    "SpeakingWorkflow": """createWorkflow(input: {name: $text, definition: {steps: [
      {id: "say", type: "echo", config: {message: $text}}]}}) { workflow { id } }""",
    "WorkflowVersion": f"""createWorkflow(input: {{name: $text, definition: {DEFINITION}}}) {{
      workflow {{ version {{ id }} }} }}""",
    "EventTrigger": f"""createWorkflow(input: {{name: $text, definition: {TRIGGERED}}}) {{
      workflow {{ triggers {{ id }} }} }}""",
    "Template": "saveAsTemplate(input: {workflowId: $Workflow, name: $text}) { template { id } }",
    "Run": "runWorkflow(input: {workflowId: $Workflow}) { run { id } }",
    "PausedRun": "pauseRun(input: {runId: $Run}) { run { id } }",
    "FailedRun": _run_of("FailingWorkflow"),
    "SpokenRun": _run_of("SpeakingWorkflow"),
    "Item": "runWorkflow(input: {workflowId: $Workflow}) { run { items { nodes { id } } } }",
    "ModelProvider": """createModelProvider(input: {name: $text, kind: OPENAI_COMPATIBLE,
      baseUrl: "http://127.0.0.1:9/v1", apiKey: "sk-nobody-has-this"}) { modelProvider { id } }""",
    "Datastore": "createDatastore(input: {name: $text, address: {sqlite: {file: $file}}}) { datastore { id } }",
    "Integration": f"createIntegration(input: {{name: $text, config: {CONFIG}}}) {{ integration {{ id }} }}",
    "Delivery": "testIntegration(input: {id: $Integration}) { delivery { id } }",
    "Event": 'emitEvent(input: {name: "order.paid", payload: {number: 1}}) { event { id } }',
    "Firing": _firing,
    "Schedule": """createSchedule(input: {workflowId: $Workflow, name: $text, cronExpression: "@daily"}) {
      schedule { id } }""",
    "WebhookTrigger": """createWebhookTrigger(input: {workflowId: $Workflow, name: $text}) {
      webhookTrigger { id } }""",
}
