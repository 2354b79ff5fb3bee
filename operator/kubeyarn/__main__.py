"""`python -m kubeyarn` is `kubeyarn`."""

from kubeyarn.cli.main import main

main()
