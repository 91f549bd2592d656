"""Columns of a table: what they look like, what they are proposed as, and how their cells become numbers."""
