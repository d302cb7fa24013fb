"""The rows of the table of experiments, group by group; `Code.experiments` is the table."""
