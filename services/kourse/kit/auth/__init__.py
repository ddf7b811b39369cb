"""Who calls and what they may do: tokens are verified by every service, whoever verified before."""

from kourse.kit.auth.access import (
    Allow,
    actor_of,
    allow,
    host_tenant,
    internal,
    is_internal,
    is_public,
    public,
    tenant_of,
)
from kourse.kit.auth.actor import Actor
from kourse.kit.auth.claims import USER_AUDIENCE, Claims
from kourse.kit.auth.keys import KeyCache, ec_keys, http_fetcher, rsa_keys
from kourse.kit.auth.revocation import DenyList
from kourse.kit.auth.service_tokens import ServiceTokens
from kourse.kit.auth.signatures import SignedTokens
from kourse.kit.auth.verifier import Verifier

__all__ = [
    "USER_AUDIENCE",
    "Actor",
    "Allow",
    "Claims",
    "DenyList",
    "KeyCache",
    "ServiceTokens",
    "SignedTokens",
    "Verifier",
    "actor_of",
    "allow",
    "ec_keys",
    "host_tenant",
    "http_fetcher",
    "internal",
    "is_internal",
    "is_public",
    "public",
    "rsa_keys",
    "tenant_of",
]
