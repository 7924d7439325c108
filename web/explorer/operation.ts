// What the text of an operation tells about it, before it is sent.

import { getOperationAST, Kind, OperationTypeNode, parse, type OperationDefinitionNode } from "graphql";

export interface Operation {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

// By the text: what GraphiQL hands over beside it lags behind quick typing.
function definitionOf({ query, operationName }: Operation): OperationDefinitionNode | undefined {
  try {
    return getOperationAST(parse(query), operationName) ?? undefined;
  } catch {
    return undefined; // the server says what is wrong with it, and where
  }
}

/** The operation, without a name that nothing in its text has any more. */
export function settled({ operationName, ...operation }: Operation): Operation {
  return operationName != null && definitionOf({ ...operation, operationName }) ? { ...operation, operationName } : operation;
}

export function isSubscription(operation: Operation): boolean {
  return definitionOf(operation)?.operation === OperationTypeNode.SUBSCRIPTION;
}

/** Where a stream of events goes on after a lost connection. */
export interface Place {
  variable: string;
  cursorIn(data: unknown): string | undefined;
}

/** The place of a subscription whose field takes `after` from a variable; its messages have to select `cursor`. */
export function placeIn(operation: Operation): Place | undefined {
  const field = definitionOf(operation)?.selectionSet.selections[0];
  if (field?.kind !== Kind.FIELD) return undefined;
  const after = field.arguments?.find(({ name }) => name.value === "after")?.value;
  if (after?.kind !== Kind.VARIABLE) return undefined;
  const answered = (field.alias ?? field.name).value;
  return {
    variable: after.name.value,
    cursorIn(data) {
      const event = (data as Record<string, { cursor?: unknown } | null> | null | undefined)?.[answered];
      return typeof event?.cursor === "string" ? event.cursor : undefined;
    },
  };
}
