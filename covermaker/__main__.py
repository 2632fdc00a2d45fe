"""``python -m covermaker``."""

from covermaker.cli.main import main

main()
