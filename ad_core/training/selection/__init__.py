"""Which pretext task suits the data: trials on synthetic anomalies, ranking, recommendation."""
