"""The two-dimensional map of embeddings."""
