// A run: refetched by its id, its items in pages, started and retried, watched.
import { graphql } from "relay-runtime";

export const query = graphql`
  query runsQuery($id: ID!) {
    node(id: $id) { __typename ...runs_details @alias(as: "run") }
  }
`;

export const summary = graphql`
  fragment runs_summary on Run {
    id
    status
    createdAt
    progress { finished total percent eta revision }
  }
`;

export const details = graphql`
  fragment runs_details on Run
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    statuses: { type: "[ItemStatus!]" }
  )
  @refetchable(queryName: "runsItemsQuery") {
    ...runs_summary
    parameters
    usage { calls cost }
    trigger { type by schedule { id name } event { id name } }
    items(first: $count, after: $cursor, status: $statuses) @connection(key: "runs_items") {
      edges { node { ...runs_item } }
    }
  }
`;

export const item = graphql`
  fragment runs_item on Item {
    id
    ordinal
    status
    error { code message stepId }
    entity { id data file { size mimeType downloadUrl } }
    steps { stepId type status output durationMs }
  }
`;

export const start = graphql`
  mutation runsStartMutation($input: RunWorkflowInput!, $connections: [ID!]!) {
    runWorkflow(input: $input) {
      run @prependNode(connections: $connections, edgeTypeName: "RunEdge") { id ...runs_summary workflow { id lastRunAt } }
      errors { code message path }
    }
  }
`;

export const progress = graphql`
  subscription runsProgressSubscription($id: ID!) {
    runProgress(runId: $id) { runId status finished total percent eta itemsPerSecond revision steps { stepId completed busyMs } }
  }
`;

export const event = graphql`
  fragment runs_event on RunEvent {
    __typename
    at
    cursor
    ... on RunStatusChanged { status run { ...runs_summary } }
    ... on ItemFinished { item { ...runs_item } }
    ... on SnapshotReset { progress { revision finished total } }
  }
`;

export const events = graphql`
  subscription runsEventsSubscription($id: ID!, $after: String) {
    runEvents(runId: $id, after: $after) { ...runs_event }
  }
`;

export const changes = graphql`
  subscription runsChangesSubscription($workflowId: ID) {
    runs(workflowId: $workflowId) { kind run { ...runs_summary } }
  }
`;

export const anyNode = graphql`
  query runsNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Workflow { name category }
      ... on Entity { externalId data }
      ... on Delivery { deliveryStatus: status attempts { number startedAt } }
    }
  }
`;

export const cancel = graphql`
  mutation runsCancelMutation($input: RunIdInput!) {
    cancelRun(input: $input) { run { ...runs_summary } errors { code message } }
  }
`;
