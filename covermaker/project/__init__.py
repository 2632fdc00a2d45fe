"""The project: a folder with a readable ``cover.toml``."""
