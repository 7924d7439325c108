"""The GraphQL operations of the demo."""

ENTITY_TYPES = "query Types($name: String!) { entityTypes(search: $name, first: 100) { nodes { id name } } }"
CREATE_ENTITY_TYPE = """
mutation MakeType($input: CreateEntityTypeInput!) {
  createEntityType(input: $input) { entityType { id } errors { message path } }
}
"""
UPDATE_ENTITY_TYPE = """
mutation ChangeType($input: UpdateEntityTypeInput!) {
  updateEntityType(input: $input) { entityType { id } errors { message path } }
}
"""
CREATE_IMPORT = """
mutation BeginImport($input: CreateImportInput!) {
  createImport(input: $input) { import { id } uploadUrl errors { message path } }
}
"""
IMPORT_PROGRESS = """
subscription ImportProgress($id: ID!) {
  importProgress(importId: $id) { status rowsRead created updated skipped failed error startedAt finishedAt }
}
"""
WORKFLOWS = """
query Workflows($type: ID!) { workflows(filter: {entityTypeId: $type}, first: 100) { nodes { id name } } }
"""
CREATE_WORKFLOW = """
mutation MakeWorkflow($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id } errors { message path } }
}
"""
UPDATE_WORKFLOW = """
mutation ChangeWorkflow($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) { workflow { id } errors { message path } }
}
"""
RUN_WORKFLOW = """
mutation Run($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id } errors { message path } }
}
"""
CANCEL_RUN = """
mutation Cancel($input: RunIdInput!) { cancelRun(input: $input) { run { id } errors { message path } } }
"""
RUN_PROGRESS = """
subscription RunProgress($id: ID!) {
  runProgress(runId: $id) {
    status revision total finished completed failed skipped cancelled percent itemsPerSecond eta
    steps { stepId completed failed skipped }
  }
}
"""
FAILURES = "query Failures($id: ID!) { run(id: $id) { failures(first: 10) { code message count } } }"
RESULTS = """
query Results($type: ID!) {
  international: entities(type: $type, first: 1, filter: {where: [{field: "kind", op: EQ, value: "international"}]}) {
    nodes { data }
  }
  municipal: entities(type: $type, first: 1, filter: {where: [{field: "kind", op: EQ, value: "municipal"}]}) {
    nodes { data }
  }
  military: entities(type: $type, first: 1, filter: {where: [{field: "kind", op: EQ, value: "military"}]}) {
    nodes { data }
  }
  field: entities(type: $type, first: 1, filter: {where: [{field: "kind", op: EQ, value: "field"}]}) {
    nodes { data }
  }
}
"""
LOOK_AT_RUN = """\
{ run(id: "%s") { status
    failures { code message count }
    items(first: 5) { nodes { status steps { id status output } } } } }"""
