"""Networks that several methods share, and pretrained weights."""
