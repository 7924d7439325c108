// A subscription over graphql-transport-ws: its messages, and how the connection stands.
//
// Each has a socket of its own: it takes the key of its start, and is gone when the subscription is.

import { createClient } from "graphql-ws";
import { authorization, key } from "./key";
import { placeIn, type Operation } from "./operation";
import { remember } from "./remembered";
import { socketUrl, type Answer, type Written } from "./server";
import { Store } from "./store";

export interface Message {
  number: number;
  at: Date;
  answer: Answer;
}

export interface Live {
  phase: "none" | "connecting" | "live" | "retrying" | "over" | "broken";
  received: number;
  /** The newest, latest first. */
  messages: readonly Message[];
  /** Which of `RETRIES` it is, while the connection is lost. */
  attempt: number;
}

export interface Sink {
  next(answer: Answer): void;
  error?(error: unknown): void;
  complete?(): void;
}

const FORBIDDEN = 4403;
export const RETRIES = 5;
const LONGEST_WAIT_MS = 15_000;
const KEPT_MESSAGES = 100;
// Messages may come by the thousand; the page draws the newest of them 20 times a second.
const DRAWN_EVERY_MS = 50;

export const live = new Store<Live>({ phase: "none", received: 0, messages: [], attempt: 0 });

let leaveCurrent = (): void => {};

// Whoever forgets or changes the key does not watch on with the one before.
key.watch(() => leaveCurrent());

export function watch(operation: Operation, written: Written | undefined, sink: Sink): { unsubscribe(): void } {
  leaveCurrent();
  const sent = { ...operation, variables: { ...operation.variables } };
  const place = placeIn(operation);
  let over = false;
  let state: Live = { phase: "connecting", received: 0, messages: [], attempt: 0 };
  let drawn = 0;
  let drawing: ReturnType<typeof setTimeout> | undefined;

  const stand = (changed: Partial<Live>): void => {
    state = { ...state, ...changed };
    live.set(state);
  };
  const draw = (): void => {
    clearTimeout(drawing);
    drawing = undefined;
    const [newest] = state.messages;
    if (newest && newest.number > drawn) sink.next(newest.answer);
    drawn = state.received;
    live.set(state);
  };
  // Once: whatever the connection does after it concerns nobody.
  const end = (phase: "over" | "broken", lastWords: () => void): void => {
    if (over) return;
    over = true;
    draw();
    stand({ phase });
    lastWords();
    void client.dispose();
  };

  const client = createClient({
    url: socketUrl.href,
    connectionParams: () => authorization(written),
    retryAttempts: RETRIES,
    shouldRetry: (error) => !over && !(error instanceof CloseEvent && error.code === FORBIDDEN),
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, pause(retries))),
    on: {
      connecting: (again) => again && !over && stand({ attempt: state.attempt + 1 }),
      connected: () => !over && stand({ phase: "live", attempt: 0 }),
      closed: () => !over && stand({ phase: "retrying" }),
    },
  });

  const stop = client.subscribe(sent, {
    next(result) {
      if (over) return;
      const answer = result as Answer;
      const cursor = place?.cursorIn(answer.data);
      // The same object is sent again after a lost connection: it asks for what comes behind the last message.
      if (place && cursor !== undefined) sent.variables[place.variable] = cursor;
      const received = state.received + 1;
      if (received === 1) remember(answer.data);
      const messages = [{ number: received, at: new Date(), answer }, ...state.messages].slice(0, KEPT_MESSAGES);
      state = { ...state, received, messages };
      drawing ??= setTimeout(draw, DRAWN_EVERY_MS);
    },
    error: (error) => end("broken", () => sink.error?.(readable(error))),
    complete: () => end("over", () => sink.complete?.()),
  });
  leaveCurrent = () => {
    stop();
    end("over", () => sink.complete?.());
  };
  live.set(state);
  return { unsubscribe: leaveCurrent };
}

/** Longer with each attempt, and never the same for two clients: a server that comes back is not run over. */
function pause(retries: number): number {
  return Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** retries) * (0.5 + Math.random());
}

function readable(error: unknown): unknown {
  if (!(error instanceof CloseEvent)) return error;
  const reason = error.code === FORBIDDEN ? "The API key is missing or not valid." : error.reason || "The connection was lost.";
  return new Error(`${reason} (${error.code})`);
}
