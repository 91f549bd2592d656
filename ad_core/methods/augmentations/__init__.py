"""Changed copies of items: what a pretext task or a synthetic defect makes of them."""
