"""The sandbox. Standard library alone: this runs in the interpreter that learners' programs get."""
