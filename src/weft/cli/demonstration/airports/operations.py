"""The GraphQL operations of the airports alone."""

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
UPDATE_WORKFLOW = """
mutation ChangeWorkflow($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) { workflow { id } errors { message path } }
}
"""
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
