"""Answers the external metrics API as an adapter for Prometheus would: runs in a pod, as a stub.

It knows one metric of one consumer, whose value stands in a file, and answers 404 to everything else, so
that a question with another name or label scales nothing.
"""

import json
import ssl
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

GROUP = "external.metrics.k8s.io/v1beta1"
NAMESPACE, METRIC, SELECTOR, VALUE = sys.argv[1:5]


class Metrics(BaseHTTPRequestHandler):
    """The two things that a HorizontalPodAutoscaler's controller asks."""

    def do_GET(self):
        asked = urlsplit(self.path)
        selector = parse_qs(asked.query).get("labelSelector", [""])[0]
        if asked.path == f"/apis/{GROUP}":
            self.answer(200, {"kind": "APIResourceList", "groupVersion": GROUP, "resources": []})
        elif (asked.path, selector) == (f"/apis/{GROUP}/namespaces/{NAMESPACE}/{METRIC}", SELECTOR):
            moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            item = {"metricName": METRIC, "metricLabels": {}, "timestamp": moment, "value": VALUE}
            body = {"kind": "ExternalMetricValueList", "apiVersion": GROUP, "metadata": {}}
            self.answer(200, {**body, "items": [item]})
        else:
            self.answer(
                404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}
            )

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = ThreadingHTTPServer(("", 8443), Metrics)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/stub/tls.crt", "/etc/stub/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
