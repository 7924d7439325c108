// Uses what was generated the way an application does. It is never run: that it is right, and that what is wrong is refused
// (`@ts-expect-error`), the compiler says.
import type { ResultOf, TypedDocumentNode, VariablesOf } from "@graphql-typed-document-node/core";
import { graphql } from "./gql";
import type { EventsSubscription, RunPageQuery } from "./operations";
import type { EntitySelectionInput, ErrorCode, RunProgress, RunStatus } from "./schema";

declare function execute<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result>;

const start = graphql(`
  mutation Start($input: RunWorkflowInput!) {
    runWorkflow(input: $input) {
      run { id status createdAt result progress { eta percent } usage { calls cost } }
      errors { code message path }
    }
  }
`);

const workflows = graphql(`
  query Workflows($after: String, $filter: WorkflowFilterInput) {
    workflows(first: 10, after: $after, filter: $filter, orderBy: { field: NAME }) {
      totalCount
      edges { node { id name definition stats { runsTotal } entityType { schema } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export async function started(workflowId: string): Promise<string> {
  const { runWorkflow } = await execute(start, { input: { workflowId, entities: { all: true }, wait: "PT5S" } });
  if (!runWorkflow.run) {
    const codes: ErrorCode[] = runWorkflow.errors.map((error) => error.code);
    throw new Error(codes.join());
  }
  const { status, createdAt, progress, usage, result } = runWorkflow.run;
  const texts: [RunStatus, string, string | null | undefined, string] = [status, createdAt, progress.eta, usage.cost];
  const numbers: number[] = [progress.percent, usage.calls];
  // @ts-expect-error: what a workflow gives is whatever it gives.
  const name: string = result.name;
  return `${texts.join()} ${numbers.join()} ${name}`;
}

export async function* allNames(): AsyncGenerator<string> {
  let after: string | null = null;
  do {
    const variables: VariablesOf<typeof workflows> = { after, filter: { status: "ACTIVE" } };
    const page: ResultOf<typeof workflows> = await execute(workflows, variables);
    for (const { node } of page.workflows.edges) {
      yield `${node.name}: ${node.stats.runsTotal} runs, over ${node.entityType === null ? "its input" : "entities"}`;
    }
    after = page.workflows.pageInfo.endCursor ?? null;
  } while (after !== null);
}

export function told(event: EventsSubscription["runEvents"]): string {
  const { cursor } = event;
  switch (event.__typename) {
    case "RunStatusChanged":
      return event.status;
    case "ItemFinished":
      return event.item.status;
    case "SnapshotReset":
      return `${event.progress.finished} of ${event.progress.total}`;
    default:
      return cursor; // whatever may come to be told one day
  }
}

export const shown = (run: NonNullable<RunPageQuery["run"]>): string[] =>
  run.items.edges.map(({ node }) => node.error?.message ?? JSON.stringify(node.output));

export const counted = (progress: RunProgress): number =>
  progress.pending + progress.completed + progress.failed + progress.skipped + progress.cancelled;

export const selections: EntitySelectionInput[] = [
  { ids: ["an id"] },
  { filter: { where: [{ field: "total", op: "GT", value: 1000 }] } },
  // @ts-expect-error: exactly one of them.
  { all: true, ids: ["an id"] },
];

// @ts-expect-error: there is no such status.
export const wrong: RunStatus = "DONE";
