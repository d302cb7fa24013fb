"""What every floor stands on: whole files, errors, Keras without noise, names."""
