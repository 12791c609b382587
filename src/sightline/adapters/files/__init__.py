"""What is kept as files: objects in a folder, tables, and the calls that make them last."""
