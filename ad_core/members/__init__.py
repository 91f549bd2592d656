"""What recipes for tables are put together from: small models without weights to train, each a function of the row."""
