"""What is kept: the database, run folders, detector bundles."""
