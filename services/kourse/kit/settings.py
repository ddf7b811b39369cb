"""Settings of a service: one class per service, read from the environment and from secret files.

``KOURSE_<SERVICE>_<FIELD>`` wins over ``KOURSE_<FIELD>``, which wins over a file named like the field
in the directory that ``KOURSE_SECRETS_DIR`` names, so that what all services share is said once.
"""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_json, to_jsonable_python
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

PREFIX = "KOURSE_"
SECRETS_DIR = "KOURSE_SECRETS_DIR"


class ServiceSettings(BaseSettings):
    """What every service can be told; each service adds its own.

    Declare ``class CourseSettings(ServiceSettings, service="course")`` and read it with ``load()``.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )
    service: ClassVar[str] = ""

    host: str = "127.0.0.1"
    """Address to bind; the loopback by default so that nothing is reachable by accident."""
    port: int = Field(ge=0, le=65535)
    """TCP port of HTTP: the API, health and metrics. 0 takes any free one. No default, because
    services share a host."""
    rpc_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of gRPC. 0 means that this service offers none."""
    database_url: str = Field(default="", repr=False)
    """`postgresql+psycopg://` address with the service's own role. Empty: no database is used."""
    worker_database_url: str = Field(default="", repr=False)
    """The same for the worker role, which relays and sweeps across tenants."""
    broker_url: str = Field(default="", repr=False)
    """`amqp://` address of RabbitMQ. Empty: no events are sent or taken."""
    cache_url: str = Field(default="", repr=False)
    """`redis://` address of the cache, which may lose everything at any time."""
    token_store_url: str = Field(default="", repr=False)
    """`redis://` address of the token store, which loses nothing: sessions, codes, the deny list."""
    s3_endpoint: str = ""
    """`http(s)://host:port` of the object store as the services reach it."""
    s3_public_endpoint: str = ""
    """The same as learners reach it; links are signed for this host. Empty: `s3_endpoint`."""
    s3_region: str = "us-east-1"
    """Region of the object store; the name that stores without regions answer to."""
    s3_access_key: str = Field(default="", repr=False)
    """Access key at the object store."""
    s3_secret_key: str = Field(default="", repr=False)
    """Secret key at the object store."""
    bucket_prefix: str = "kourse"
    """Start of every bucket's name, as bucket names are global in many stores."""
    token_issuer: str = ""
    """Exact `iss` of access tokens: the public address of the gateway."""
    jwks_url: str = ""
    """Where identity's public keys are, by its internal address."""
    identity_url: str = ""
    """Internal HTTP address of identity, asked for service tokens."""
    client_secret: str = Field(default="", repr=False)
    """This service's client secret at identity; its client id is the service's name."""
    domain: str = ""
    """Public domain below which `<tenant>.<domain>` names a tenant. Empty: hosts name none."""
    default_tenant: str = "demo"
    """Tenant where neither host nor log-in names one."""
    tenant_namespaces: dict[str, str] = Field(default_factory=dict)
    """JSON object from namespace to tenant, for those that differ; a tenant is else the
    namespace's name."""
    identity_rpc_addr: str = ""
    """`host:port` of identity's gRPC."""
    profile_rpc_addr: str = ""
    """`host:port` of profile's gRPC."""
    course_rpc_addr: str = ""
    """`host:port` of course's gRPC."""
    assessment_rpc_addr: str = ""
    """`host:port` of assessment's gRPC."""
    notification_rpc_addr: str = ""
    """`host:port` of notification's gRPC."""
    dashboard_rpc_addr: str = ""
    """`host:port` of dashboard's gRPC."""
    gap_s: float = Field(default=300.0, gt=0)
    """Seconds after which a missing event alerts and is fetched from its producer's archive."""
    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    """Least severe level that is logged: DEBUG, INFO, WARNING or ERROR."""
    otlp_endpoint: str = ""
    """OTLP over HTTP address for traces, for example `http://collector:4318`. Empty: off."""
    zipkin_endpoint: str = ""
    """Zipkin v2 address for traces, for example `http://zipkin:9411/api/v2/spans`. Empty: off."""
    development: bool = False
    """Whether gRPC reflection is on. Off by default: it tells strangers what can be called."""

    def __init_subclass__(cls, service: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if service is not None:
            cls.service = service

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Sources in order of precedence: arguments, own and shared environment, secret files."""
        del env_settings, dotenv_settings, file_secret_settings
        sources: list[PydanticBaseSettingsSource] = [
            init_settings,
            EnvSettingsSource(settings_cls, env_prefix=own_prefix(cls.service)),
            EnvSettingsSource(settings_cls, env_prefix=PREFIX),
        ]
        if directory := os.environ.get(SECRETS_DIR):
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=directory))
        return tuple(sources)

    @classmethod
    def load(cls) -> Self:
        """Settings from the environment; ends the process with one sentence per wrong variable."""
        try:
            return cls()
        except ValidationError as error:
            sys.exit("\n".join(_sentence(cls.service, item) for item in error.errors()))

    def rpc_address(self, peer: str) -> str:
        """Address ``host:port`` of a sibling's gRPC, or "" when it is not configured."""
        return str(getattr(self, f"{peer}_rpc_addr", ""))


def own_prefix(service: str) -> str:
    """Prefix of the variables of one service alone: ``KOURSE_COURSE_``."""
    return f"{PREFIX}{service.upper()}_" if service else PREFIX


def render_env(settings: type[ServiceSettings]) -> str:
    """``.env`` template of a service: every variable with its meaning, unit and default.

    What the service adds stands under its own prefix, what all share under ``KOURSE_``. Variables
    without a default are left to fill in; all others are commented out.
    """
    shared = set(ServiceSettings.model_fields)
    blocks = [f"# Environment of the {settings.service} service. Generated; see hack/gen/env.py."]
    for name, field in settings.model_fields.items():
        prefix = PREFIX if name in shared - {"port", "rpc_port"} else own_prefix(settings.service)
        blocks.append(_variable(prefix + name.upper(), field))
    return "\n\n".join(blocks) + "\n"


def _variable(name: str, field: FieldInfo) -> str:
    meaning = [f"# {line.strip()}" for line in (field.description or "").strip().splitlines()]
    if field.is_required():
        return "\n".join([*meaning, f"{name}="])
    return "\n".join([*meaning, f"#{name}={_default(field)}"])


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    plain = None if value is PydanticUndefined else to_jsonable_python(value)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else to_json(plain).decode()


def _sentence(service: str, error: Any) -> str:
    field = str(error["loc"][0]) if error["loc"] else "settings"
    names = f"{own_prefix(service)}{field.upper()} (or {PREFIX}{field.upper()})"
    problem = "is missing" if error["type"] == "missing" else f"is wrong: {error['msg']}"
    return f"{names} {problem}."
