"""The operator's account may do what its work needs, and nothing else."""

import pytest
from kubernetes import client, config

ALLOWED = [
    ("kourse.dev", "courses", "", "list"),
    ("kourse.dev", "courses", "", "watch"),
    ("kourse.dev", "cohorts", "", "patch"),
    ("kourse.dev", "examconfigs", "status", "patch"),
    ("", "events", "", "create"),
]
DENIED = [
    ("kourse.dev", "courses", "", "create"),
    ("kourse.dev", "courses", "", "delete"),
    ("kourse.dev", "courses", "", "update"),
    ("", "secrets", "", "get"),
    ("", "configmaps", "", "list"),
    ("", "pods", "", "list"),
    ("", "namespaces", "", "list"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "", "list"),
    ("rbac.authorization.k8s.io", "clusterroles", "", "bind"),
]


@pytest.fixture(scope="module")
def ask(servers):
    api = config.new_client_from_config(str(servers.endpoints.operator_kubeconfig))
    reviews = client.AuthorizationV1Api(api)

    def answer(group, resource, subresource, verb):
        wanted = client.V1ResourceAttributes(
            group=group, resource=resource, subresource=subresource, verb=verb, namespace="demo"
        )
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=wanted)
        review = client.V1SelfSubjectAccessReview(spec=spec)
        return reviews.create_self_subject_access_review(review).status.allowed

    yield answer
    api.close()


@pytest.mark.parametrize("wanted", ALLOWED, ids=lambda w: f"{w[3]}-{w[1]}{w[2] and '-' + w[2]}")
def test_may(ask, wanted):
    assert ask(*wanted)


@pytest.mark.parametrize("wanted", DENIED, ids=lambda w: f"{w[3]}-{w[1]}")
def test_may_not(ask, wanted):
    assert not ask(*wanted)
