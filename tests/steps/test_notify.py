"""The step that sends a message: what it hands over, and what is found when it is saved."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from asking import ask
from integrations.receivers import answers, receiving
from standardwebhooks import Webhook
from steps.items import item, run, step
from workers import working

from weft.domain.access import Viewer
from weft.domain.errors import Invalid
from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.domain.step import Fail, Output, SendMessage
from weft.engine.deliveries import Attempts, DeliverySender
from weft.graphql.nodes import encode_id
from weft.integrations.webhook import new_secret
from weft.operations.integration_configs import SlackSettings, WebhookSettings
from weft.operations.integrations import NewIntegration, create_integration
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow


def effect_of(config: dict[str, Any], value: Any) -> SendMessage:
    answer = run(step("notify", {"integration": "team", **config}), value)
    assert isinstance(answer, Output)
    (effect,) = answer.effects
    assert isinstance(effect, SendMessage)
    assert answer.value == {"deliveryId": str(effect.delivery_id)}
    return effect


def test_it_hands_over_the_message_with_the_values_of_its_input() -> None:
    effect = effect_of({"message": "Invoice {{ number }}", "subject": "{{ number }}!"}, {"number": "R-7"})
    assert effect.integration == "team"
    assert effect.message == {"subject": "R-7!", "text": "Invoice R-7", "data": {"number": "R-7"}}


def test_chosen_values_take_the_place_of_the_input_and_a_payload_of_both() -> None:
    assert effect_of({"data": {"n": "input.number"}}, {"number": 7}).message == {"data": {"n": 7}}
    assert effect_of({"payload": {"n": "input.number"}}, {"number": 7}).message == {"payload": {"n": 7}}
    assert effect_of({}, "no object").message == {}


def test_the_delivery_of_an_item_is_the_same_at_every_attempt() -> None:
    assert effect_of({}, {"a": 1}).delivery_id == effect_of({}, {"a": 2}).delivery_id


def test_the_words_of_the_documents_are_understood() -> None:
    prepared = step("integration", {"integration_id": "slack-uuid", "template": "Done: {{ number }}"})
    (effect,) = run(prepared, {"number": 1}).effects
    assert (effect.integration, effect.message["text"]) == ("slack-uuid", "Done: 1")


def test_a_message_that_is_too_large_or_cannot_be_written_fails_its_item() -> None:
    with pytest.raises(Fail, match="more than 262,144"):
        run(step("notify", {"integration": "team"}), {"text": "x" * 300_000})
    with pytest.raises(Fail, match="cannot be written: there is no value for"):
        step("notify", {"integration": "team", "message": "{{ nobody }}"}).run(item({}), {})


@dataclass(frozen=True)
class Office:
    services: Services
    viewer: Viewer

    async def workflow(self, **config: Any) -> Any:
        definition = {"steps": [{"id": "say", "type": "notify", "config": config}]}
        return await create_workflow(self.services, self.viewer, NewWorkflow("notifies", definition))

    async def run(self, workflow: Any, value: Any) -> Run:
        async with working(self.services) as served:
            return await start_run(served, self.viewer, StartRun(workflow.id, input=value, wait=timedelta(seconds=20)))


@pytest.fixture
def office(services: Services, viewer: Viewer) -> Office:
    return Office(services, viewer)


async def test_an_integration_that_is_not_there_is_found_when_the_workflow_is_saved(office: Office) -> None:
    slack = SlackSettings("https://hooks.example/x")
    made = await create_integration(office.services, office.viewer, NewIntegration("team", slack))
    with pytest.raises(Invalid) as refused:
        await office.workflow(integration="taem")
    (problem,) = refused.value.problems
    assert problem.path == ("definition", "steps", "0", "config", "integration")
    assert 'did you mean "team"?' in problem.message
    with pytest.raises(Invalid, match="only a webhook takes a payload"):
        await office.workflow(integration="team", payload={"a": "1"})
    for reference in ("team", str(made.integration.id), encode_id("Integration", made.integration.id)):
        assert await office.workflow(integration=reference, message="hi")


async def test_a_run_sends_each_message_once_and_shows_it(office: Office) -> None:
    secret = new_secret()
    services, viewer = office.services, office.viewer
    async with receiving(answers(200)) as receiver:
        hook = WebhookSettings(url=receiver.url(), secret=secret)
        await create_integration(services, viewer, NewIntegration("erp", hook))
        workflow = await office.workflow(integration="erp", message="Invoice {{ number }}")
        finished = await office.run(workflow, {"number": "R-7"})
        assert finished.status is RunStatus.COMPLETED
        sender = DeliverySender(services.database, Attempts(services.world))
        assert await sender.run_once() == 1
        await sender.stop()
        assert await sender.run_once() == 0
    (received,) = receiver.received
    said = Webhook(secret).verify(received.body, received.headers)["data"]
    assert (said["text"], said["values"], said["runId"]) == ("Invoice R-7", {"number": "R-7"}, str(finished.id))
    query = """query ($id: ID!) { run(id: $id) { result deliveries {
      nodes { id status integrationName item { status } attempts { statusCode } } } } }"""
    shown = (await ask(services, viewer, query, id=encode_id("Run", finished.id)))["run"]
    (delivery,) = shown["deliveries"]["nodes"]
    assert (delivery["status"], delivery["integrationName"]) == ("DELIVERED", "erp")
    assert delivery["item"] == {"status": "COMPLETED"}
    assert shown["result"] == {"deliveryId": received.headers["webhook-id"]}
    assert delivery["id"] == encode_id("Delivery", received.headers["webhook-id"])
