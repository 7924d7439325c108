"""The GraphQL operations of the invoices alone."""

CREATE_UPLOAD = """
mutation BeginUpload($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id } uploadUrl errors { message path } }
}
"""
CREATE_DOCUMENT = """
mutation MakeDocument($input: CreateDocumentInput!) {
  createDocument(input: $input) { document { id } created errors { message path } }
}
"""
DATASTORES = "query Datastores { datastores(first: 100) { nodes { id name } } }"
CREATE_DATASTORE = """
mutation MakeDatastore($input: CreateDatastoreInput!) {
  createDatastore(input: $input) { datastore { id name } errors { message path } }
}
"""
TABLE = """
query Table($id: ID!, $name: String!) { datastoreContents(datastoreId: $id) { table(name: $name) { uniqueKeys } } }
"""
CREATE_TABLE = """
mutation MakeTable($input: CreateDatastoreTableInput!) {
  createDatastoreTable(input: $input) { table { uniqueKeys } errors { message path } }
}
"""
WORKFLOWS = "query Workflows($name: String!) { workflows(first: 100, filter: {search: $name}) { nodes { id name } } }"
TEMPLATES = 'query Templates { templates(category: "invoice", first: 100) { nodes { id name } } }'
CREATE_FROM_TEMPLATE = """
mutation MakeWorkflow($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) { workflow { id } errors { message path } }
}
"""
READ = """
query Read($id: ID!, $after: String) {
  run(id: $id) {
    items(first: 100, after: $after) {
      nodes { status entity { data } steps { stepId output } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
