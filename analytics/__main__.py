"""`python -m analytics` is the command."""

from analytics.cli import main

main()
