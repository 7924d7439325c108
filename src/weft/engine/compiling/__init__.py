"""From a definition to a plan: everything that can be checked before a run is checked here, in one pass.

compiler        the way through, step by step in the order of the graph
wiring          dependencies as edges; unknown ones, unknown branches, cycles
preparation     a step's config, and its instance
scope           the names that a step's expressions may read, with what is known of their types
flow            the schema of a step's input, from the outputs before it; what does not fit
step_text       Liquid texts, in which the fields of the input stand at the top level
assembly        the parts as a `weft.engine.plan.Plan`
findings        the problems, each with its path
"""
