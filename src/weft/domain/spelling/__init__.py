"""A definition as it is written: read from JSON in any spelling, written in the canonical one.

reading    the whole of it: steps in order, tasks, or nodes and connections
steps      one step: its id, dependencies, config, policies
nodes      nodes and connections as steps
policies   retries, timeouts, error handling
triggers   which events start it; their filters in trigger_filters
fields     names and types of fields, and what is said of an unknown one
"""

from weft.domain.spelling.reading import Reading, read_definition, write_definition

__all__ = ["Reading", "read_definition", "write_definition"]
