"""`python -m tillwave` is the command `tillwave`."""

from tillwave.cli import main

if __name__ == "__main__":
    main()
