"""``python -m riparian.cli``."""

from riparian.cli import main

main()
