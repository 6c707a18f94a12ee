"""What trained generators are worth: a table a line of docs/results-generating.md, from runs that are given by folder.

`python -m benchmarks.results.gaussians RUN RUN RUN` and its neighbours print a figure a row: the mean over the runs,
their spread (standard deviation, n - 1), and each run's own. `--json FILE` keeps the same for machines. The measures
themselves are in `translate.metrics`.
"""
