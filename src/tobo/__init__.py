"""tobo: SageMaker's workflow on your own machines. Independent of AWS."""

__version__ = "0.1.0"
