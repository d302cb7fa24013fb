"""The command lines: they read options and print lines; the packages below do the work."""
