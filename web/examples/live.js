/**
 * Live data from Weft in a web page, that goes on by itself when the connection or the server does not.
 *
 *     import { connect, watch } from "./live.js";
 *
 *     const weft = connect({ url: "wss://weft.example/graphql", key: () => myKey });
 *
 *     // The newest state, again and again:
 *     watch(weft, {
 *       query: "subscription ($id: ID!) { runProgress(runId: $id) { completed failed total finished } }",
 *       variables: { id },
 *       next: ({ runProgress }) => draw(runProgress),
 *     });
 *
 *     // Every event, each once: what happened while the connection was away comes first.
 *     watch(weft, {
 *       query: "subscription ($id: ID!, $after: String) { runEvents(runId: $id, after: $after) { __typename cursor at } }",
 *       variables: { id },
 *       resume: ({ runEvents }) => ({ after: runEvents.cursor }),
 *       next: ({ runEvents }) => append(runEvents),
 *     });
 *
 *     weft.on("closed", () => say("The connection is lost, trying again …"));
 *
 * It is made for the npm package graphql-ws, version 6. Copy it and change it as you like: the pauses suit pages that thousands
 * have open, and with few of them `timing.slot` may be smaller. Node before version 22 has no websockets of its own: give
 * `connect` `webSocketImpl` from the package ws.
 */
import { createClient } from "graphql-ws";

/** Milliseconds: the first pause is at most `slot` and no pause longer than `longest`; a peer may be silent for `silence`. */
export const timing = { slot: 4_000, longest: 60_000, silence: 10_000 };

/** No longer a good key: coming back with it would be in vain. */
const FORBIDDEN = 4403;

/** A client whose connection opens with its first subscription, and comes back for as long as there is one. */
export function connect({ url, key, ...options }) {
  let deadline;
  const client = createClient({
    url,
    connectionParams: async () => ({ Authorization: `Bearer ${typeof key === "function" ? await key() : key}` }),
    retryAttempts: Infinity,
    retryWait: (attempt) => new Promise((resolve) => setTimeout(resolve, pause(attempt))),
    // A failed connection is no close event in every browser. What is fatal by the protocol does not come here.
    shouldRetry: (why) => why?.code !== FORBIDDEN,
    // A network that is gone says nothing: who answers no ping is left.
    keepAlive: timing.silence,
    on: {
      ping: (received) => {
        if (!received) deadline = setTimeout(() => client.terminate(), timing.silence);
      },
      pong: (received) => {
        if (received) clearTimeout(deadline);
      },
      closed: () => clearTimeout(deadline),
    },
    ...options,
  });
  return client;
}

/**
 * Milliseconds before another attempt, the first being 0. A server that restarts lets go of all its clients in one moment. The
 * pause is random over its whole length, so that they do not all come back in one, and it grows while there is no server.
 */
export function pause(attempt) {
  return Math.random() * Math.min(timing.longest, timing.slot * 2 ** attempt);
}

/**
 * Subscribes, until the function that it returns is called or the subscription is complete. `resume` gives the variables with
 * which the subscription goes on behind an event; they are sent when it begins again, after whatever went wrong.
 */
export function watch(client, { query, variables, resume, next, error = console.error, complete = () => {} }) {
  const place = { ...variables }; // what it is when a connection opens is sent
  let attempt = 0;
  let timer;
  let unsubscribe;

  function begin() {
    let passing;
    unsubscribe = client.subscribe(
      { query, variables: place },
      {
        next({ data, errors }) {
          passing = errors && ofTheMoment(errors);
          if (errors && !passing) error(errors);
          if (data == null) return;
          attempt = 0;
          next(data);
          if (resume) Object.assign(place, resume(data));
        },
        error(why) {
          const wait = ofTheMoment(why);
          if (wait) later(wait);
          else error(why);
        },
        complete() {
          if (passing) later(passing);
          else complete();
        },
      },
    );
  }

  function later(seconds) {
    timer = setTimeout(begin, seconds * 1_000 + pause(attempt++));
  }

  begin();
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}

/** The seconds after which it is worth another try: the server was busy, or its database away. Nothing for other errors. */
function ofTheMoment(errors) {
  if (!Array.isArray(errors)) return undefined;
  const passing = errors.find(({ extensions }) => extensions?.retryAfter || extensions?.code === "UNAVAILABLE");
  return passing && (passing.extensions.retryAfter ?? 1);
}
