"""The command lines of the uses that need more options than a model and a data set."""
