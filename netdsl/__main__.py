"""`python -m netdsl`: the same as the `netdsl` command."""

from netdsl.cli import main

if __name__ == "__main__":
    main()
