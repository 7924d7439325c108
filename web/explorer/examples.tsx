// The pane with operations to begin with. Each opens in a tab of its own, with ids that earlier ones answered with.

import { useEditorContext, useExecutionContext, type GraphiQLPlugin } from "@graphiql/react";
import { flushSync } from "react-dom";
import examples, { type Example } from "weft:examples";
import { filled } from "./remembered";

export const examplesPlugin: GraphiQLPlugin = { title: "Examples", icon: Flask, content: Examples };

function Examples() {
  const { addTab, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const { stop } = useExecutionContext({ nonNull: true });
  const open = ({ query, variables }: Example): void => {
    stop(); // or else the next run would do no more than end the subscription of another tab
    // The new tab has to be there first: it comes with contents of its own.
    flushSync(addTab);
    queryEditor?.setValue(query);
    variableEditor?.setValue(filled(variables));
    queryEditor?.focus();
  };
  return (
    <section aria-label="Examples" className="weft-pane">
      <div className="graphiql-doc-explorer-title">Examples</div>
      <p>From the top down, they make a small workflow and run it. Each opens in a tab; nothing runs before you say so.</p>
      <ol className="weft-examples">
        {examples.map((example) => (
          <li key={example.title}>
            <button type="button" className="graphiql-un-styled" onClick={() => open(example)}>
              {example.title}
            </button>
            <p>{example.about}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Flask() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinejoin="round" aria-hidden="true">
      <path d="M9 3h6M10 3v6.5L4.6 18.6A1.6 1.6 0 0 0 6 21h12a1.6 1.6 0 0 0 1.4-2.4L14 9.5V3M7.5 15h9" strokeLinecap="round" />
    </svg>
  );
}
