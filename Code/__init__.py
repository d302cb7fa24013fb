"""Autoencoders from 1986 to today, trained and compared on MNIST."""

import os

# TensorFlow's remarks about the processor are no news to anyone who waits for a result
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
