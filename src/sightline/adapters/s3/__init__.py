"""Objects in a bucket of S3, and the folder that keeps copies of those that a decoder opens."""
