"""The speed of Weft, each figure measured on whole processes and, where there is one, against a floor in the same run.

    make bench                                  all figures
    python -m benchmarks w1 one-item idle       some of them
    python -m benchmarks --quick                small numbers: shows that the suite works, says nothing about speed

A table comes first, then one JSON line per figure.

What is measured is what a user has: embedded PostgreSQL and Valkey with the settings of `weft up`, commits that wait for
the disk, `weft api` and `weft worker` as processes of their own, and a client that knows them only by GraphQL over HTTP
and graphql-transport-ws. Only what a figure does not measure goes another way: entities are put into their table by COPY,
and cursors of deep pages are made instead of being walked to. The client runs on the same cores as all the rest, so
figures with many messages contain its share.

    system       services and processes, shared by all figures of one call
    process      one process: its start, its end, its CPU, its memory
    client       what a web developer's program does
    data         entities and workflows; `floor` is the plain script of W1
    runs         a run from its mutation to its last push
    machine      what else ran meanwhile: `othersPercent` in the details of every line
    figure       a measured value beside its bar and its aim; `table` prints it
    the others   one file per line of the table, each with its rule: best of, median, or worst of how many; `live`, with
                 its watchers in processes of their own, has several: live_*

Where floor and engine are compared they take turns, so that what else the machine does hits both. The figures that
need a run of a million share its entities and, where nothing is lost by it, the run.
"""
