"""Made-up anomalies, one file per kind of data; see `ad_core.flaw`."""
