"""Active learning over frozen features: which items people are asked for, which ones a machine may label, and how sure that is.

Pure NumPy, no clock, no files. Features are float32 (items, dimensions) everywhere, human labels class numbers.
"""
