"""What the shipped backbone is worth beside random and ImageNet weights: frozen and fine-tuned, on three data sets."""

from bench.backbone.measure import run

__all__ = ["run"]
