"""The credential stores that identity's tests run on."""


class Local:
    """Identity's own rows."""

    name = "local"

    def settings(self, request):
        """Settings of identity that choose this store, beside the tests' own."""
        del request
        return {"backend": "local"}


class Keycloak:
    """A real Keycloak, started when the first test asks for it."""

    name = "keycloak"

    def settings(self, request):
        """Settings of identity that choose this store, beside the tests' own."""
        site = request.getfixturevalue("keycloak")
        return {
            "backend": "keycloak",
            "keycloak_url": site.url("keycloak"),
            "keycloak_secret": site.secret("keycloak-client"),
            "keycloak_timeout": 30,
        }


LOCAL = Local()
KEYCLOAK = Keycloak()
BACKENDS = [LOCAL, KEYCLOAK]
