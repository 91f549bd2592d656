"""Storage: the database, run folders and detector bundles."""
