"""The digital twin of the sorting line: marbles and the photos a camera takes of them."""
