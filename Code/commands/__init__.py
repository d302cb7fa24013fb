"""What a person types: options in, lines out; the work itself is done by the rooms below."""
