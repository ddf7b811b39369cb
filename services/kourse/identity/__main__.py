"""Builds identity and serves it."""

from __future__ import annotations

from kourse.identity import api, rpc
from kourse.identity.api import sign_on
from kourse.identity.domain.lockout import LockoutPolicy
from kourse.identity.repository.codes import Codes
from kourse.identity.repository.families import Families
from kourse.identity.repository.keycloak import Keycloak, Realm
from kourse.identity.repository.keycloak_events import KeycloakEvents
from kourse.identity.repository.keycloak_sign_on import KeycloakSignOn
from kourse.identity.repository.keycloak_users import KeycloakUsers
from kourse.identity.repository.limits import Limits
from kourse.identity.repository.lockouts import Lockouts
from kourse.identity.repository.offers import FactorOffers
from kourse.identity.repository.one_time_tokens import OneTimeTokens
from kourse.identity.repository.sign_ons import SignOns
from kourse.identity.repository.token_store import TokenStore
from kourse.identity.service import caretaking, members
from kourse.identity.service.clients import Clients
from kourse.identity.service.credentials import CredentialStore
from kourse.identity.service.hashing import HashPool
from kourse.identity.service.house import House
from kourse.identity.service.keycloak_credentials import KeycloakCredentials
from kourse.identity.service.keycloak_sync import KeycloakSync
from kourse.identity.service.local_credentials import LocalCredentials
from kourse.identity.service.signing import SigningKeys
from kourse.identity.service.trail import LocalTrail
from kourse.identity.settings import IdentitySettings
from kourse.kit.db import Database
from kourse.kit.runtime import Runtime, Service, run
from kourse.kit.sweeping import repeat
from kourse.kit.vault import Vault


def build_house(settings: IdentitySettings, database: Database, store: TokenStore) -> House:
    """The stores and keys of identity."""
    vault = Vault.load(settings.data_key_file, "identity")
    keycloak = Keycloak(realm(settings)) if settings.backend == "keycloak" else None
    return House(
        settings=settings,
        database=database,
        credentials=build_credentials(settings, database, store, vault, keycloak),
        issuer=None if keycloak is None else KeycloakSignOn(keycloak, redirect_uri(settings)),
        sign_ons=SignOns(store, session_lifetime=settings.session_lifetime),
        one_time_tokens=OneTimeTokens(store),
        factor_offers=FactorOffers(store),
        limits=Limits(store),
        vault=vault,
        families=Families(
            store,
            idle=settings.session_idle,
            lifetime=settings.session_lifetime,
            grace=settings.refresh_grace,
            access_lifetime=settings.access_token_lifetime,
        ),
        codes=Codes(store, lifetime=settings.code_lifetime, tries=settings.code_tries),
        keys=SigningKeys(settings.signing_key_file),
        clients=Clients.load(settings.clients_file),
    )


def build_credentials(
    settings: IdentitySettings,
    database: Database,
    store: TokenStore,
    vault: Vault,
    keycloak: Keycloak | None,
) -> CredentialStore:
    """The credential store that the settings choose: a realm, or else identity's own rows.

    Raises:
        ValueError: The settings contradict each other.
    """
    pool = HashPool(
        workers=settings.hash_workers,
        queue=settings.hash_queue,
        memory_kib=settings.hash_memory_kib,
        iterations=settings.hash_iterations,
    )
    lockouts = Lockouts(store, lockout_policy(settings))
    if keycloak is not None:
        return KeycloakCredentials(database, pool, lockouts, keycloak)
    return LocalCredentials(database, pool, lockouts, vault)


def redirect_uri(settings: IdentitySettings) -> str:
    """Where Keycloak sends browsers back to."""
    return settings.keycloak_redirect_uri or f"{settings.public_url}{sign_on.CALLBACK}"


def realm(settings: IdentitySettings) -> Realm:
    """The realm of these settings.

    Raises:
        ValueError: Address or secret is missing.
    """
    secret = settings.keycloak_secret.get_secret_value()
    if not settings.keycloak_url or not secret:
        raise ValueError("the back end keycloak needs its address and the secret of the clients")
    return Realm(
        url=settings.keycloak_url,
        name=settings.keycloak_realm,
        secret=secret,
        timeout_s=settings.keycloak_timeout.total_seconds(),
    )


def lockout_policy(settings: IdentitySettings) -> LockoutPolicy:
    """The lockout of these settings.

    Raises:
        ValueError: They contradict each other.
    """
    return LockoutPolicy(
        failure_factor=settings.lockout_failure_factor,
        wait_increment=settings.lockout_wait_increment,
        max_wait=settings.lockout_max_wait,
        max_delta=settings.lockout_max_delta,
        quick_check=settings.lockout_quick_check,
        min_quick_wait=settings.lockout_min_quick_wait,
    )


def service(settings: IdentitySettings) -> Service:
    """Identity with these settings, ready to run."""

    async def set_up(runtime: Runtime) -> None:
        if "house" not in runtime.extras:
            runtime.extras["house"] = build_house(settings, runtime.database, runtime.token_store)
        house: House = runtime.extras["house"]
        await members.ensure_first_administrator(house)

    async def tear_down(runtime: Runtime) -> None:
        house: House | None = runtime.extras.get("house")
        if house is not None:
            await house.credentials.close()

    async def audit_rounds(runtime: Runtime) -> None:
        keep = settings.audit_address_lifetime
        await caretaking.every_night(runtime.database, runtime.worker_database, keep=keep)

    async def key_watch(runtime: Runtime) -> None:
        house: House = runtime.extras["house"]
        own = LocalTrail(runtime.database, settings.service)
        await caretaking.watch_keys(house.keys, own, settings.default_tenant)

    async def follow_keycloak(runtime: Runtime) -> None:
        keycloak = Keycloak(realm(settings))
        events = KeycloakEvents(keycloak)
        house: House = runtime.extras["house"]
        sync = KeycloakSync(house, KeycloakUsers(keycloak), events)
        try:
            await repeat(sync.sweep, settings.keycloak_poll.total_seconds())
        finally:
            await keycloak.close()

    tasks = [audit_rounds, key_watch] if settings.worker_database_url else []
    if settings.backend == "keycloak":
        tasks.append(follow_keycloak)
    return Service(
        settings=settings,
        title="kourse identity",
        routers=[api.router],
        servicers=(rpc.register,),
        setup=set_up,
        teardown=tear_down,
        trail=lambda runtime: LocalTrail(runtime.database, settings.service),
        tasks=tasks,
        needs=frozenset({"database", "keys", "token_store"}),
    )


if __name__ == "__main__":
    run(service(IdentitySettings.load()))
