"""TOML documents that people write, read strictly: what is refused is told with file, line and path."""
