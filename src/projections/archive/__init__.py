"""The feed as Parquet files that analysts read: one file a range of positions, the signed head beside it."""
