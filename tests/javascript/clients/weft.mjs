// What every client is tried with: where Weft is, whose key is shown, and the operations.

export const { WEFT_URL: url, WEFT_KEY: key, WEFT_WORKFLOW: workflow, WEFT_RUN: run } = process.env;
export const websocketUrl = url.replace(/^http/, "ws");
export const authorization = `Bearer ${key}`;

export const WHO = "query Who { viewer { role } }";
export const NONSENSE = "query Nonsense { nothing }";
export const REFUSED = 'query Refused { workflow(id: "no id") { name } }';
export const START = `mutation Start($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id } errors { code message path } } }`;
export const PROGRESS = `subscription Progress($run: ID!) {
  runProgress(runId: $run) { revision status finished total } }`;
export const NO_RUN = 'subscription NoRun { runProgress(runId: "no id") { revision } }';
export const EVENTS = `subscription Events($run: ID!, $after: String) {
  runEvents(runId: $run, after: $after) { __typename cursor ... on ItemFinished { item { ordinal } } } }`;
export const EVENTS_WITHOUT_CURSORS = `subscription Events($run: ID!) {
  runEvents(runId: $run) { __typename ... on ItemFinished { item { ordinal } } } }`;

export const everything = { workflowId: workflow, entities: { all: true } };
export const mistake = { workflowId: "no id", entities: { all: true } };

/** One line that names an event, whatever else a client puts around it. */
export function named(event) {
  return event.item ? `${event.__typename} ${event.item.ordinal}` : event.__typename;
}

/** A pause before a client connects again: soon, and not all at once. */
export function soon() {
  return new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
}

export function codes(errors) {
  return errors.map((error) => error.extensions.code);
}

/** To the test, as its last word. */
export function tell(observations) {
  process.stdout.write(JSON.stringify(observations));
}
