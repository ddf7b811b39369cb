"""Links are signed as AWS documents it, and live for minutes."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from kourse.kit.storage import Signer


@pytest.fixture
def signer():
    return Signer(
        "https://examplebucket.s3.amazonaws.com",
        region="us-east-1",
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        now=lambda: datetime(2013, 5, 24, tzinfo=UTC),
    )


class TestSigner:
    def test_signs_as_the_older_tools_do(self, signer):
        from minio.credentials import Credentials
        from minio.signer import presign_v4

        ours = signer.get("course", "content/a b/ü", expires_s=300)
        theirs = presign_v4(
            method="GET",
            url=urlsplit("https://examplebucket.s3.amazonaws.com/course/content/a%20b/%C3%BC"),
            region="us-east-1",
            credentials=Credentials(
                "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
            ),
            date=datetime(2013, 5, 24, tzinfo=UTC),
            expires=300,
        )

        assert parse_qs(urlsplit(ours).query) == parse_qs(theirs.query)

    def test_binds_an_upload_to_its_content(self, signer):
        upload = signer.put("course", "content/x", sha256="ab" * 32, size=7, expires_s=60)

        query = parse_qs(urlsplit(upload.url).query)
        assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
        assert upload.headers["content-length"] == "7"
        assert upload.method == "PUT"

    def test_gives_a_download_a_harmless_name(self, signer):
        link = signer.get("course", "x", expires_s=60, filename='a"b\r\nü.pdf')

        (disposition,) = parse_qs(urlsplit(link).query)["response-content-disposition"]
        assert disposition == (
            "attachment; filename=\"a_b___.pdf\"; filename*=UTF-8''a%22b%0D%0A%C3%BC.pdf"
        )

    @pytest.mark.parametrize("seconds", [0, -1, 301])
    def test_refuses_links_that_live_longer_than_5_minutes(self, signer, seconds):
        with pytest.raises(ValueError, match="between 1 and 300"):
            signer.get("course", "x", expires_s=seconds)
