"""What all other packages use: atomic file writes, errors, a quiet Keras import, names."""
