"""What variants are made of: losses, noise, layers, measures of a code, the compiled epoch."""
