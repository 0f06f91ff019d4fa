"""Lets `python -m cardwatch` run the command."""

from cardwatch.cli import main

main()
