"""Records: the airports of the package vega-datasets, 3,376 rows of a register of the United States as they were published.

With "NA" for what nobody knew, codes that are none, names that name nothing, and airports elsewhere. `entity_type.json` and
`workflow.json` say what is made of them: the type, and the workflow of ten steps with its four branches.
"""
