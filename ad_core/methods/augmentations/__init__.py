"""Augmentations: changed copies of items for pretext tasks and synthetic defects."""
