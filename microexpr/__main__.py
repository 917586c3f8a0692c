"""`python -m microexpr` is the command `microexpr`."""

from microexpr.cli import main

if __name__ == "__main__":
    main()
