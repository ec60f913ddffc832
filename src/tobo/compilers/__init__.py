"""Compilers: a trained model in, a folder that a target runs out, with the certificate of what changed on the way."""
