"""What several workers' answers to one item are worth together, and what each of the workers is worth."""
