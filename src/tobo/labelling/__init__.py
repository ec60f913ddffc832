"""Labelling: what is known of labels, apart from who asks for them and who gives them."""
