"""Bytes <-> AWS words, driven by botocore's service models. No I/O."""
