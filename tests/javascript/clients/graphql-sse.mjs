// graphql-sse in its distinct connections mode, which is its default.

import { createClient } from "graphql-sse";
import {
  NONSENSE, NO_RUN, PROGRESS, REFUSED, START, WHO, authorization, codes, everything, mistake, tell, url,
} from "./weft.mjs";

const client = createClient({ url, headers: () => ({ Authorization: authorization }) });

async function answers(query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) {
    results.push(result);
  }
  return results;
}

const wrong = createClient({ url, headers: { Authorization: "Bearer weft_wrong" } });
const refusals = [];
for await (const result of wrong.iterate({ query: WHO })) {
  refusals.push(...codes(result.errors));
}

const [who] = await answers(WHO);
const [nonsense] = await answers(NONSENSE);
const [refused] = await answers(REFUSED);
const [noRun] = await answers(NO_RUN);
const [mistaken] = await answers(START, { input: mistake });
const [started] = await answers(START, { input: everything });
const progress = await answers(PROGRESS, { run: started.data.runWorkflow.run.id });
tell({
  wrong: refusals,
  who: who.data,
  nonsense: codes(nonsense.errors),
  refused: codes(refused.errors),
  noRun: codes(noRun.errors),
  mistaken: mistaken.data.runWorkflow.errors.map((error) => error.path),
  progress: progress.map((result) => result.data.runProgress),
});
