// What a Relay application does with Weft, without React: pages, refetches, mutations that mend the store, subscriptions.
// Arguments: the URL of the API, a key, the id of a workflow that runs on its input alone. Prints what it saw as JSON.
import { commitMutation, createOperationDescriptor, fetchQuery, getRequest, getSingularSelector, requestSubscription } from "relay-runtime";
import type { GraphQLTaggedNode, MutationParameters, OperationType, SingularReaderSelector, Variables } from "relay-runtime";

import runsCancel, { type runsCancelMutation } from "./artifacts/runsCancelMutation.graphql";
import runsEvents, { type runsEventsSubscription } from "./artifacts/runsEventsSubscription.graphql";
import runsEvent, { type runs_event$data, type runs_event$key } from "./artifacts/runs_event.graphql";
import runsDetails, { type runs_details$data } from "./artifacts/runs_details.graphql";
import runsQuery, { type runsQuery as RunsQuery } from "./artifacts/runsQuery.graphql";
import runsStart, { type runsStartMutation } from "./artifacts/runsStartMutation.graphql";
import runsSummary, { type runs_summary$data } from "./artifacts/runs_summary.graphql";
import createWorkflow, { type workflowsCreateMutation } from "./artifacts/workflowsCreateMutation.graphql";
import workflowsList, { type workflows_list$data } from "./artifacts/workflows_list.graphql";
import workflowsPage, { type workflowsPageQuery } from "./artifacts/workflowsPageQuery.graphql";
import workflowsQuery, { type workflowsQuery as WorkflowsQuery } from "./artifacts/workflowsQuery.graphql";
import workflowsRemove, { type workflowsRemoveMutation } from "./artifacts/workflowsRemoveMutation.graphql";
import { environment } from "./environment";

const [url, key, workflowId] = process.argv.slice(2);
const { relay, close } = environment(url, key);

const query = <T extends OperationType>(node: GraphQLTaggedNode, variables: Variables): Promise<T["response"]> =>
  fetchQuery<T>(relay, node, variables).toPromise().then((data) => data as T["response"]);

const mutation = <T extends MutationParameters>(node: GraphQLTaggedNode, variables: T["variables"]): Promise<T["response"]> =>
  new Promise((resolve, reject) => {
    commitMutation<T>(relay, {
      mutation: node,
      variables,
      onCompleted: (response, errors) => (errors?.length ? reject(new Error(errors[0].message)) : resolve(response)),
      onError: reject,
    });
  });

function read<T>(fragment: GraphQLTaggedNode, reference: unknown): T {
  const selector = getSingularSelector(fragment as never, reference as never) as SingularReaderSelector;
  return relay.lookup(selector).data as unknown as T;
}

async function main(): Promise<Record<string, unknown>> {
  const first = await query<WorkflowsQuery>(workflowsQuery, { count: 2, filter: null });
  const listed = (): workflows_list$data => {
    relay.retain(createOperationDescriptor(getRequest(workflowsQuery), { count: 2, filter: null }));
    return read<workflows_list$data>(workflowsList, first);
  };
  const pages = [listed().workflows.edges.length];
  while (listed().workflows.pageInfo.hasNextPage) {
    await query<workflowsPageQuery>(workflowsPage, { count: 2, cursor: listed().workflows.pageInfo.endCursor, filter: null });
    pages.push(listed().workflows.edges.length);
  }

  const connections = [listed().workflows.__id];
  const definition = { steps: [{ id: "say", type: "echo" }] };
  const made = await mutation<workflowsCreateMutation>(createWorkflow, { input: { name: "made by Relay", definition }, connections });
  const afterCreation = listed().workflows.edges.map((edge) => edge.node.name);
  await mutation<workflowsRemoveMutation>(workflowsRemove, { input: { id: made.createWorkflow.workflow?.id ?? "" }, connections });
  const afterRemoval = listed().workflows.edges.length;

  const started = await mutation<runsStartMutation>(runsStart, { input: { workflowId, input: { a: 1 } }, connections: [] });
  const run = started.runWorkflow.run;
  if (!run) throw new Error(JSON.stringify(started.runWorkflow.errors));
  const refetched = await query<RunsQuery>(runsQuery, { id: run.id });
  const details = read<runs_details$data>(runsDetails, refetched.node?.run);

  const events: string[] = [];
  await new Promise<void>((resolve, reject) => {
    requestSubscription<runsEventsSubscription>(relay, {
      subscription: runsEvents,
      variables: { id: run.id },
      onNext: (told) => {
        const event = read<runs_event$data>(runsEvent, told?.runEvents as runs_event$key);
        events.push(`${event.__typename} ${event.status}`);
        if (events.length === 1) void mutation<runsCancelMutation>(runsCancel, { input: { runId: run.id } });
      },
      onCompleted: resolve,
      onError: reject,
    });
  });
  const summary = read<runs_summary$data>(runsSummary, read<runs_details$data>(runsDetails, refetched.node?.run));
  return { role: first.viewer.role, pages, afterCreation, afterRemoval, items: details.items.edges.length, events, status: summary.status };
}

main()
  .then((seen) => console.log(JSON.stringify(seen)))
  .finally(close);
