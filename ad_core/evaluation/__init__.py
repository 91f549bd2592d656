"""Metrics where labels, masks or verdicts exist."""
