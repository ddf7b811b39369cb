"""What the operator makes, seen and broken from behind its back."""

import asyncio
import json
import urllib.error
import urllib.request
from base64 import b64encode
from urllib.parse import quote

import psycopg
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import LifecycleConfig, NoncurrentVersionExpiration, Rule
from minio.versioningconfig import SUSPENDED, VersioningConfig
from yarl import URL

from kourse.contracts import names
from kourse.kit.db import Database
from kourse.kit.documents import Applied, Doc
from support.waiting import LONG_S


class Backends:
    """Rows, buckets and the broker's virtual host of one tenant."""

    def __init__(self, endpoints, scratch, broker_url, tenant):
        self._endpoints = endpoints
        self._scratch = scratch
        self._host = quote(URL(broker_url).path.removeprefix("/"), safe="")
        self._tenant = tenant
        address = URL(endpoints.s3_endpoint)
        self._s3 = Minio(
            f"{address.host}:{address.port}",
            endpoints.s3_access_key,
            endpoints.s3_secret_key,
            secure=False,
            region=endpoints.s3_region,
        )

    def _bucket(self, course):
        return names.bucket("kourse", self._tenant, course)

    def has_bucket(self, course):
        """Whether the course's bucket is there."""
        return self._s3.bucket_exists(self._bucket(course))

    def is_versioned(self, course):
        """Whether the bucket keeps old versions."""
        return self._s3.get_bucket_versioning(self._bucket(course)).status == "Enabled"

    def put_object(self, course, key, data):
        """The bucket holds this object."""
        import io

        self._s3.put_object(self._bucket(course), key, io.BytesIO(data), len(data))

    def drop_bucket(self, course):
        """Somebody deletes the empty bucket."""
        self._s3.remove_bucket(self._bucket(course))

    def buckets(self):
        """Names of the tenant's buckets."""
        start = f"kourse-{self._tenant}-"
        return {item.name for item in self._s3.list_buckets() if item.name.startswith(start)}

    def named(self, things, start):
        """Names of the broker's exchanges or queues that begin like that."""
        found = self._ask("GET", f"{things}/{self._host}")
        return {item["name"] for item in found if item["name"].startswith(start)}

    def published(self):
        """How often the outbox told of a version of each course."""
        sql = (
            "SELECT payload ->> 'course', count(*) FROM course.outbox WHERE tenant = %s"
            " AND type = 'course.content.published' GROUP BY 1"
        )
        with psycopg.connect(self._scratch.superuser_url) as connection:
            return dict(connection.execute(sql, (self._tenant,)).fetchall())

    def suspend_versions(self, course):
        """Somebody has the bucket keep old versions no more."""
        self._s3.set_bucket_versioning(self._bucket(course), VersioningConfig(SUSPENDED))

    def keep_old_versions(self, course, days):
        """Somebody changes how long the bucket keeps old versions."""
        expiry = NoncurrentVersionExpiration(noncurrent_days=days)
        rule = Rule(
            ENABLED,
            rule_filter=Filter(prefix=""),
            rule_id="kourse-noncurrent",
            noncurrent_version_expiration=expiry,
        )
        self._s3.set_bucket_lifecycle(self._bucket(course), LifecycleConfig([rule]))

    def old_versions_days(self, course):
        """How long the bucket keeps old versions."""
        (rule,) = self._s3.get_bucket_lifecycle(self._bucket(course)).rules
        return rule.noncurrent_version_expiration.noncurrent_days

    def bind(self, source, exchange, key):
        """Somebody binds the exchange to another one."""
        pair = (quote(name, safe="") for name in (source, exchange))
        path = f"bindings/{self._host}/e/" + "/e/".join(pair)
        self._ask("POST", path, {"routing_key": key, "arguments": {}})

    def exchange(self, name):
        """The exchange as the broker has it, or None."""
        return self._ask("GET", f"exchanges/{self._host}/{quote(name, safe='')}")

    def queue(self, name):
        """The queue as the broker has it, or None."""
        return self._ask("GET", f"queues/{self._host}/{quote(name, safe='')}")

    def bindings(self, name, kind="exchange"):
        """What the exchange or queue is bound to."""
        place = f"{kind}s/{self._host}/{quote(name, safe='')}/bindings"
        path = f"{place}/destination" if kind == "exchange" else place
        return [item for item in self._ask("GET", path) or [] if item["source"]]

    def drop_exchange(self, name):
        """Somebody deletes the exchange."""
        self._ask("DELETE", f"exchanges/{self._host}/{quote(name, safe='')}")

    def drop_bindings(self, exchange):
        """Somebody deletes what leads to the exchange."""
        for item in self.bindings(exchange):
            source, key = quote(item["source"], safe=""), quote(item["properties_key"], safe="")
            place = f"bindings/{self._host}/e/{source}/e/{quote(exchange, safe='')}/{key}"
            self._ask("DELETE", place)

    def live_version(self, course):
        """The version that learners see, or None."""
        sql = "SELECT live_version FROM course.course WHERE tenant = %s AND name = %s"
        found = self._fetch(sql, course)
        return found[0] if found else None

    def visibility(self, course):
        """Who may see the course."""
        sql = "SELECT visibility FROM course.course WHERE tenant = %s AND name = %s"
        return self._fetch(sql, course)[0]

    def lessons(self, course):
        """How many lessons the course's rows hold."""
        sql = (
            "SELECT count(*) FROM course.lesson l JOIN course.course c ON c.id = l.course_id "
            "WHERE c.tenant = %s AND c.name = %s"
        )
        return self._fetch(sql, course)[0]

    def declare_by_api(self, kind, name, spec):
        """The object is made through the REST API's door."""
        from kourse.course import authoring

        async def declare():
            database = Database(self._scratch.url("kourse_course"), "course", pool_size=1)
            try:
                doc = Doc(name, spec, "api")
                (result,) = await authoring.apply_many(database, self._tenant, kind, [doc])
            finally:
                await database.close()
            assert isinstance(result, Applied), result

        asyncio.run(declare())

    def replicate_course(self, course):
        """The siblings learn of the course, as they do from its event."""
        from support.course_events import deliver_published

        asyncio.run(deliver_published(self._scratch, self._tenant, course))

    def ledger(self):
        """Generation and title of what is in force, by kind and name."""
        sql = " UNION ALL ".join(
            "SELECT kind, name, generation, spec ->> 'title' AS title"
            f" FROM {owner}.document WHERE tenant = %(tenant)s AND retired_at IS NULL"
            for owner in ("assessment", "course", "profile")
        )
        with psycopg.connect(self._scratch.superuser_url) as connection:
            found = connection.execute(sql, {"tenant": self._tenant}).fetchall()
        return {(kind, name): (generation, title) for kind, name, generation, title in found}

    def _fetch(self, sql, course):
        with psycopg.connect(self._scratch.superuser_url) as connection:
            return connection.execute(sql, (self._tenant, course)).fetchone()

    def _ask(self, method, path, content=None):
        user = f"{self._endpoints.broker_user}:{self._endpoints.broker_password}"
        request = urllib.request.Request(
            f"{self._endpoints.broker_management_url}/api/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                "Authorization": f"Basic {b64encode(user.encode()).decode()}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=LONG_S) as answer:
                text = answer.read()
                return json.loads(text) if text else {}
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None
            raise
