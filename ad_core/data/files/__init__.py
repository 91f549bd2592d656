"""File formats: what a file is by its content, and its columns in blocks."""
