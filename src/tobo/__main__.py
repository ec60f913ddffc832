"""`python -m tobo` is the command line."""

from tobo.cli import main

main()
