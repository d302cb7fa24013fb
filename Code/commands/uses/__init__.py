"""The command line of each use that takes more than a model and a data set."""
