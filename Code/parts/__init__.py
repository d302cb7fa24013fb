"""Building blocks of the variants: losses, noise, layers, measures of a code, compiled epochs."""
