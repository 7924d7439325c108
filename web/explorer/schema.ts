// The schema, for the documentation and for completion, and why it is not there.

import { getIntrospectionQuery } from "graphql";
import { post, type Answer, type Written } from "./server";
import { Store } from "./store";

/** What GraphiQL calls its question for the schema: no operation that somebody types has this name. */
export const INTROSPECTION = "WeftExplorerSchema";

export const schemaMissing = new Store<string | undefined>(undefined);

const QUERY = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
}).replace("IntrospectionQuery", INTROSPECTION);

export async function askForSchema(written: Written | undefined): Promise<Answer> {
  try {
    const answer = await post({ query: QUERY, operationName: INTROSPECTION }, written);
    schemaMissing.set(answer.data ? undefined : (answer.errors?.[0]?.message ?? "The answer is empty."));
    // GraphiQL asks a second time, without subscriptions, when there is no `data`.
    return { ...answer, data: answer.data ?? {} };
  } catch (error) {
    schemaMissing.set(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
