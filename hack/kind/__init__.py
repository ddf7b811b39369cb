"""A throw-away cluster of kind, also where there is no container engine and no registry."""
