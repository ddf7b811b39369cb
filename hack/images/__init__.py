"""Container images, built by whichever tool is there, from hashed locks and without a network."""
