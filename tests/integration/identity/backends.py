"""The credential stores that identity's tests run on."""


class Local:
    """Identity's own rows."""

    name = "local"

    def settings(self, servers):
        """Settings of identity that choose this store, beside the tests' own."""
        del servers
        return {"backend": "local"}


LOCAL = Local()
BACKENDS = [LOCAL]
