// Workflows in pages, and each with its newest runs.
import { graphql } from "relay-runtime";

export const query = graphql`
  query workflowsQuery($count: Int!, $filter: WorkflowFilterInput) {
    viewer { role apiKey { id name } }
    ...workflows_list @arguments(count: $count, filter: $filter)
  }
`;

export const list = graphql`
  fragment workflows_list on Query
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "WorkflowFilterInput" }
  )
  @refetchable(queryName: "workflowsPageQuery") {
    workflows(first: $count, after: $cursor, filter: $filter) @connection(key: "workflows_workflows", filters: ["filter"]) {
      __id
      totalCount
      edges { cursor node { id name status ...workflows_runs } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

export const runs = graphql`
  fragment workflows_runs on Workflow
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" })
  @refetchable(queryName: "workflowsRunsQuery") {
    runs(first: $count, after: $cursor) @connection(key: "workflows_runs", filters: []) {
      edges { node { ...runs_summary } }
    }
  }
`;

export const create = graphql`
  mutation workflowsCreateMutation($input: CreateWorkflowInput!, $connections: [ID!]!) {
    createWorkflow(input: $input) {
      workflow @appendNode(connections: $connections, edgeTypeName: "WorkflowEdge") { id name status steps { stepId type } }
      errors { code message path hint }
    }
  }
`;

export const rename = graphql`
  mutation workflowsRenameMutation($input: UpdateWorkflowInput!) {
    updateWorkflow(input: $input) { workflow { id name version { id number } } errors { code message path } }
  }
`;

export const remove = graphql`
  mutation workflowsRemoveMutation($input: WorkflowIdInput!, $connections: [ID!]!) {
    deleteWorkflow(input: $input) { deletedId @deleteEdge(connections: $connections) errors { message } }
  }
`;
