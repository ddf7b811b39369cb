"""Everything that ``make lint`` holds against the tree, side by side, with one verdict."""
