"""Autoencoders from 1986 to today, trained and compared on MNIST."""
