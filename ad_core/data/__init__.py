"""Files, data frames and folders become prepared items: opening, schema, splitting, profiling."""
