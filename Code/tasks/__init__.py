"""What codes and autoencoders are good for, as pure functions of arrays."""
