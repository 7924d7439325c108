"""The GraphQL operations that every demo needs."""

CREATE_WORKFLOW = """
mutation MakeWorkflow($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id } errors { message path } }
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
LOOK_AT_RUN = """\
{ run(id: "%s") { status
    failures { code message count }
    items(first: 5) { nodes { status steps { stepId status output } } } } }"""
