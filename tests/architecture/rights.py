"""Every root field: the least role that may call it, and arguments that work.

A new field gets one line here. `$Workflow` stands for the id of a workflow of the first workspace, made anew for every call
of a mutation; what can stand there is said in `belongings.py`, where a new noun gets one line as well. `$text` is a text
that is not there yet. What is selected is added by itself: all plain fields, and for mutations the errors.
"""

from dataclasses import dataclass

from weft.domain.access import Role

VIEWER, RUNNER, EDITOR, ADMIN = Role


@dataclass(frozen=True, slots=True)
class Right:
    least: Role
    call: str
    shared: bool = False
    """It shows what is everybody's or the caller's own: another workspace gets something, though nothing of the first."""
    changes_nothing: bool = False
    """A mutation that stores nothing, and so leaves no entry in the audit log."""
    silent: bool = False
    """With ids of another workspace it does nothing, which is no mistake."""

    @property
    def name(self) -> str:
        return self.call.partition("(")[0]


def _by_name(*rights: Right) -> dict[str, Right]:
    return {right.name: right for right in rights}


DEFINITION = '{steps: [{id: "say", type: "echo"}]}'
TRIGGERED = '{steps: [{id: "say", type: "echo"}], triggers: [{event: "order.paid"}]}'
CONFIG = '{webhook: {url: "http://127.0.0.1:9/"}}'

MUTATIONS = _by_name(
    Right(ADMIN, "createApiKey(input: {name: $text, role: VIEWER})"),
    Right(ADMIN, "updateApiKey(input: {id: $ApiKey, name: $text, rateLimitPerMinute: 60})"),
    Right(ADMIN, "revokeApiKey(input: {id: $ApiKey})"),
    Right(EDITOR, 'createEntityType(input: {name: $text, schema: {type: "object"}})'),
    Right(EDITOR, "updateEntityType(input: {id: $EntityType, name: $text})"),
    Right(EDITOR, "deleteEntityType(input: {id: $EntityType})"),
    Right(EDITOR, "createEntities(input: {entityTypeId: $EntityType, entities: [{data: {number: 1}}]})"),
    Right(EDITOR, "updateEntity(input: {id: $Entity, data: {number: 2}})"),
    Right(EDITOR, "deleteEntities(input: {entities: {ids: [$Entity]}})", silent=True),
    Right(EDITOR, "createImport(input: {entityTypeId: $EntityType, format: JSONL})"),
    Right(EDITOR, "createUpload(input: {name: $text})"),
    Right(EDITOR, "createDocument(input: {uploadId: $ReceivedUpload})"),
    Right(EDITOR, f"createWorkflow(input: {{name: $text, definition: {DEFINITION}}})"),
    Right(EDITOR, f"updateWorkflow(input: {{id: $Workflow, name: $text, definition: {TRIGGERED}}})"),
    Right(EDITOR, "archiveWorkflow(input: {id: $Workflow})"),
    Right(EDITOR, "deleteWorkflow(input: {id: $Workflow})"),
    Right(VIEWER, f"validateWorkflow(input: {{definition: {DEFINITION}}})", changes_nothing=True),
    Right(EDITOR, "copyWorkflow(input: {id: $Workflow, name: $text})"),
    Right(VIEWER, "rateWorkflow(input: {id: $Workflow, rating: 5})"),
    Right(EDITOR, "createWorkflowFromTemplate(input: {templateId: $Template, name: $text})"),
    Right(EDITOR, "saveAsTemplate(input: {workflowId: $Workflow, name: $text})"),
    Right(RUNNER, "runWorkflow(input: {workflowId: $Workflow})"),
    Right(RUNNER, "retryRun(input: {runId: $FailedRun})"),
    Right(RUNNER, "cancelRun(input: {runId: $Run})"),
    Right(RUNNER, "pauseRun(input: {runId: $Run})"),
    Right(RUNNER, "resumeRun(input: {runId: $PausedRun})"),
    Right(ADMIN, 'createModelProvider(input: {name: $text, kind: ANTHROPIC, apiKey: "sk-ant-nobody-has-this"})'),
    Right(ADMIN, "updateModelProvider(input: {id: $ModelProvider, name: $text})"),
    Right(ADMIN, "deleteModelProvider(input: {id: $ModelProvider})"),
    Right(ADMIN, 'testModelProvider(input: {id: $ModelProvider, model: "any"})'),
    Right(ADMIN, "createDatastore(input: {name: $text, address: {sqlite: {file: $file}}})"),
    Right(ADMIN, "updateDatastore(input: {id: $Datastore, name: $text})"),
    Right(ADMIN, "deleteDatastore(input: {id: $Datastore})"),
    Right(ADMIN, "testDatastore(input: {id: $Datastore})"),
    Right(
        ADMIN, 'createDatastoreTable(input: {datastoreId: $Datastore, name: "t", columns: [{name: "a", kind: TEXT}]})'
    ),
    Right(EDITOR, f"createIntegration(input: {{name: $text, config: {CONFIG}}})"),
    Right(EDITOR, "updateIntegration(input: {id: $Integration, name: $text})"),
    Right(EDITOR, "deleteIntegration(input: {id: $Integration})"),
    Right(EDITOR, "testIntegration(input: {id: $Integration})"),
    Right(RUNNER, "redeliver(input: {id: $Delivery})"),
    Right(RUNNER, 'emitEvent(input: {name: "order.paid", payload: {number: 1}})'),
    Right(EDITOR, 'createSchedule(input: {workflowId: $Workflow, cronExpression: "@daily"})'),
    Right(EDITOR, "updateSchedule(input: {id: $Schedule, name: $text})"),
    Right(EDITOR, "deleteSchedule(input: {id: $Schedule})"),
    Right(EDITOR, "createWebhookTrigger(input: {workflowId: $Workflow, name: $text})"),
    Right(EDITOR, "updateWebhookTrigger(input: {id: $WebhookTrigger, name: $text})"),
    Right(EDITOR, "rotateWebhookTriggerSecret(input: {id: $WebhookTrigger})"),
    Right(EDITOR, "deleteWebhookTrigger(input: {id: $WebhookTrigger})"),
)

QUERIES = _by_name(
    Right(VIEWER, "node(id: $Workflow)"),
    Right(VIEWER, "viewer", shared=True),
    Right(ADMIN, "apiKeys", shared=True),
    Right(ADMIN, "auditLog", shared=True),
    Right(VIEWER, "entityType(id: $EntityType)"),
    Right(VIEWER, "entityTypes"),
    Right(VIEWER, "entity(id: $Entity)"),
    Right(VIEWER, "entities(type: $EntityType)"),
    Right(VIEWER, "import(id: $Import)"),
    Right(VIEWER, "imports(type: $EntityType)"),
    Right(VIEWER, "modelProviders"),
    Right(VIEWER, "stepTypes", shared=True),
    Right(VIEWER, "workflow(id: $Workflow)"),
    Right(VIEWER, "workflows"),
    Right(VIEWER, "workflowCategories"),
    Right(VIEWER, "templates", shared=True),
    Right(VIEWER, "eventTypes", shared=True),
    Right(VIEWER, "run(id: $Run)"),
    Right(VIEWER, "runs(filter: {workflowId: $Workflow})"),
    Right(VIEWER, "datastores"),
    Right(EDITOR, "datastoreContents(datastoreId: $Datastore)"),
    Right(VIEWER, "integrations(workflowId: $Workflow)"),
    Right(VIEWER, "deliveries(filter: {integrationId: $Integration})"),
    Right(VIEWER, "event(id: $Event)"),
    Right(VIEWER, "events"),
    Right(VIEWER, "firings(filter: {workflowId: $Workflow})"),
    Right(VIEWER, "schedule(id: $Schedule)"),
    Right(VIEWER, "schedules"),
    Right(VIEWER, 'nextRuns(cronExpression: "@daily")', shared=True),
    Right(VIEWER, "webhookTrigger(id: $WebhookTrigger)"),
    Right(VIEWER, "webhookTriggers"),
)

SUBSCRIPTIONS = _by_name(
    Right(VIEWER, "runProgress(runId: $Run)"),
    Right(VIEWER, "runEvents(runId: $Run)"),
    Right(VIEWER, "runLogs(runId: $SpokenRun)"),
    Right(VIEWER, "runs(workflowId: $BusyWorkflow)"),
    Right(VIEWER, "importProgress(importId: $Import)"),
)

RIGHTS = {"Query": QUERIES, "Mutation": MUTATIONS, "Subscription": SUBSCRIPTIONS}

NEED_MORE = {"ApiKey": ADMIN}
"""Nodes, and fields of nodes as `Type.field`, that need more than VIEWER when they are asked for as `node(id)`."""
