"""On a real API server, the chart's roles give exactly what they list, where they list it."""

import secrets

import pytest
from kubernetes import client, config, utils

from support.rendering import documents
from support.waiting import eventually

RBAC = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount"}
SCOPES = {"clusterwide": (), "namespaced": ("operator.namespaces={school}",)}


@pytest.fixture(scope="module")
def admin(servers):
    made = config.new_client_from_config(str(servers.endpoints.kubeconfig))
    yield made
    made.close()


@pytest.fixture(scope="module", params=SCOPES)
def release(request, admin):
    """The chart's accounts and roles, installed under a name of their own."""
    name = f"rights-{secrets.token_hex(3)}"
    core = client.CoreV1Api(admin)
    settings = tuple(word.replace("school", f"{name}-school") for word in SCOPES[request.param])
    for namespace in (name, f"{name}-school", f"{name}-other"):
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
    manifests = [found for found in documents(*settings, release=name) if found["kind"] in RBAC]
    for manifest in manifests:
        utils.create_from_dict(admin, manifest, namespace=name)
    kubeconfig = str(request.getfixturevalue("servers").endpoints.kubeconfig)
    made = Release(name, request.param, manifests, kubeconfig)
    made.begin()
    yield made
    rbac = client.RbacAuthorizationV1Api(admin)
    for manifest in manifests:
        if manifest["kind"] == "ClusterRole":
            rbac.delete_cluster_role(manifest["metadata"]["name"])
        elif manifest["kind"] == "ClusterRoleBinding":
            rbac.delete_cluster_role_binding(manifest["metadata"]["name"])


class Release:
    """A chart that is installed as far as its rights go."""

    def __init__(self, name, scope, manifests, kubeconfig):
        self.name = name
        self.scope = scope
        self.manifests = manifests
        self._kubeconfig = kubeconfig
        self.account = f"system:serviceaccount:{name}:{self._account()}"

    def _account(self):
        (found,) = {
            subject["name"]
            for each in self.manifests
            if each["kind"].endswith("Binding")
            for subject in each["subjects"]
        }
        return found

    def rights(self, user, namespace):
        """(group, resource, name, verb) that the user has there, besides what everybody has."""
        return self._reviewed(user, namespace) - self._reviewed("nobody", namespace)

    def begin(self):
        """Returns when the API server goes by the bindings, of which it learns after it took them."""
        everywhere = self.listed("")
        for namespace in (self.name, f"{self.name}-school", f"{self.name}-other"):
            expected = everywhere | self.listed(namespace)
            eventually(lambda at=namespace, all_=expected: all_ <= self.rights(self.account, at))

    def _reviewed(self, user, namespace):
        api = config.new_client_from_config(self._kubeconfig)
        api.set_default_header("Impersonate-User", user)
        try:
            spec = client.V1SelfSubjectRulesReviewSpec(namespace=namespace)
            review = client.V1SelfSubjectRulesReview(spec=spec)
            found = client.AuthorizationV1Api(api).create_self_subject_rules_review(review)
        finally:
            api.close()
        return {
            right
            for rule in found.status.resource_rules
            for right in spread(rule.api_groups, rule.resources, rule.resource_names, rule.verbs)
        }

    def listed(self, *places):
        """What the roles list that are bound to the operator in these namespaces; "" is everywhere."""
        bound = {
            each["roleRef"]["name"]
            for each in self.manifests
            if each["kind"].endswith("Binding") and self._place(each) in places
        }
        return {
            right
            for each in self.manifests
            if each["kind"] in {"Role", "ClusterRole"}
            and each["metadata"]["name"] in bound
            and self._place(each) in places
            for rule in each["rules"]
            for right in spread(
                rule["apiGroups"], rule["resources"], rule.get("resourceNames"), rule["verbs"]
            )
        }

    def _place(self, manifest):
        everywhere = manifest["kind"].startswith("Cluster")
        return "" if everywhere else manifest["metadata"].get("namespace", self.name)


def spread(groups, resources, names, verbs):
    return {
        (group, resource, name, verb)
        for group in groups
        for resource in resources
        for name in names or [""]
        for verb in verbs
    }


class TestOperator:
    def test_may_do_what_is_listed_where_it_serves_and_nothing_else(self, release):
        served = f"{release.name}-school"
        listed = release.listed("", served)
        assert release.rights(release.account, served) == listed
        assert ("kourse.dev", "courses", "", "watch") in listed
        assert ("kourse.dev", "courses/status", "", "patch") in listed
        assert not {right for right in listed if right[1] == "secrets" or "*" in right}

    def test_may_do_nothing_in_a_namespace_that_it_does_not_serve(self, release):
        found = release.rights(release.account, f"{release.name}-other")
        assert found == release.listed("")
        assert (found == set()) == (release.scope == "namespaced")

    def test_holds_its_lease_in_its_own_namespace_alone(self, release):
        def leases(namespace):
            found = release.rights(release.account, namespace)
            return {right[2:] for right in found if right[1] == "leases"}

        name = f"{release.name}-operator"
        assert leases(release.name) == {("", "create"), (name, "get"), (name, "update")}
        assert leases(f"{release.name}-school") == set()


class TestPeople:
    @pytest.mark.parametrize(
        ("role", "resource", "verb", "expected"),
        [
            ("view", "courses", "list", True),
            ("view", "cohorts", "get", True),
            ("view", "questionpools", "get", False),
            ("view", "examconfigs", "list", False),
            ("view", "courses", "create", False),
            ("edit", "questionpools", "update", True),
            ("edit", "examconfigs", "delete", True),
            ("edit", "courses/status", "patch", False),
        ],
    )
    def test_have_the_rights_of_their_role(self, release, admin, role, resource, verb, expected):
        user = f"{role}-{secrets.token_hex(3)}"
        found = next(
            each["metadata"]["name"]
            for each in release.manifests
            if each["kind"] == "ClusterRole" and each["metadata"]["name"].endswith(f"-{role}")
        )
        binding = client.V1RoleBinding(
            metadata=client.V1ObjectMeta(name=user),
            role_ref=client.V1RoleRef(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=found
            ),
            subjects=[
                client.RbacV1Subject(api_group="rbac.authorization.k8s.io", kind="User", name=user)
            ],
        )
        school = f"{release.name}-school"
        client.RbacAuthorizationV1Api(admin).create_namespaced_role_binding(school, binding)
        rights = eventually(lambda: release.rights(user, school))
        assert (("kourse.dev", resource, "", verb) in rights) is expected

    def test_who_administer_edit_or_view_a_namespace_get_them_by_aggregation(self, release):
        gained = {
            label.rpartition("-")[2]: each["metadata"]["name"].rpartition("-")[2]
            for each in release.manifests
            if each["kind"] == "ClusterRole"
            for label in each["metadata"]["labels"]
            if label.startswith("rbac.authorization.k8s.io/aggregate-to-")
        }
        assert gained == {"view": "view", "edit": "edit", "admin": "edit"}
