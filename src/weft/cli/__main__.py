"""`python -m weft.cli`, for where the script is not on the path."""

from weft.cli.main import main

main()
