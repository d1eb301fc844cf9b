"""A data set on disk: parquet shards and index.json."""
