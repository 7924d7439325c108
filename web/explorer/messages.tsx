// The pane with what a subscription has sent so far. The editor on the right shows only the newest.

import type { GraphiQLPlugin } from "@graphiql/react";
import { live, type Message } from "./live";
import { useStore } from "./store";

export const messagesPlugin: GraphiQLPlugin = { title: "Messages", icon: Waves, content: Messages };

function Messages() {
  const { messages, received } = useStore(live);
  return (
    <section aria-label="Messages" className="weft-pane">
      <div className="graphiql-doc-explorer-title">Messages</div>
      <p>
        {received === 0
          ? "What a subscription sends is listed here, the newest first."
          : `${messages.length} of ${received}, the newest first.`}
      </p>
      <ol className="weft-messages">
        {messages.map((message) => (
          <Entry key={message.number} message={message} />
        ))}
      </ol>
    </section>
  );
}

function Entry({ message }: { message: Message }) {
  return (
    <li value={message.number}>
      <time dateTime={message.at.toISOString()}>{message.at.toLocaleTimeString()}</time>
      <pre tabIndex={0}>{JSON.stringify(message.answer.errors ?? message.answer.data, null, 2)}</pre>
    </li>
  );
}

function Waves() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" aria-hidden="true">
      <circle cx="12" cy="12" r="1.5" fill="currentColor" />
      <path d="M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8" />
    </svg>
  );
}
