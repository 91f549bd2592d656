"""Networks that several methods share, and weights that were learnt elsewhere."""
