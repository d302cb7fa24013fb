"""How fast the same training is here and elsewhere: ``python -m tests.benchmarks.speed``."""
