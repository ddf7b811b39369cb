"""Keys and certificates of the local Kubernetes, made once with the openssl command.

They live for ten years in the state directory and open nothing but this stack, on loopback.
"""

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

DAYS = "3650"


@dataclass(frozen=True)
class Pki:
    """The directory of keys and certificates.

    Attributes:
        directory: Where they are, readable by their owner only.
    """

    directory: Path

    @property
    def authority(self) -> Path:
        """The certificate of the authority that signs all others."""
        return self.certificate("authority")

    def certificate(self, name: str) -> Path:
        """Return the path of a certificate."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Return the path of a private key (EC P-256, PEM)."""
        return self.directory / f"{name}.key"

    def ensure_key(self, name: str) -> Path:
        """Return the path of a private key, made if missing."""
        if not self.key(name).exists():
            self._openssl(self.key(name), "ecparam", "-name", "prime256v1", "-genkey", "-noout")
        return self.key(name)

    def ensure_authority(self) -> None:
        """Make the authority if missing."""
        self._ensure_certificate(
            "authority", "/CN=kourse local", ["-addext", "keyUsage=keyCertSign"]
        )

    def ensure_server(self, name: str, addresses: str) -> None:
        """Make a server's certificate if missing.

        Args:
            name: Its name.
            addresses: Its alternative names, as openssl spells them.
        """
        use = ["-addext", f"subjectAltName={addresses}", "-addext", "extendedKeyUsage=serverAuth"]
        self._ensure_certificate(name, f"/CN={name}", [*self._signed(), *use])

    def ensure_client(self, name: str, user: str, group: str = "") -> None:
        """Make a certificate that logs in to the API server, if missing.

        Args:
            name: Its file name.
            user: The Kubernetes user it stands for.
            group: The Kubernetes group, none when empty.
        """
        subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
        use = ["-addext", "extendedKeyUsage=clientAuth"]
        self._ensure_certificate(name, subject, [*self._signed(), *use])

    def _signed(self) -> list[str]:
        not_authority = ["-addext", "basicConstraints=critical,CA:FALSE"]
        return ["-CA", str(self.authority), "-CAkey", str(self.key("authority")), *not_authority]

    def _ensure_certificate(self, name: str, subject: str, options: list[str]) -> None:
        if not self.certificate(name).exists():
            key = str(self.ensure_key(name))
            request = ["req", "-x509", "-new", "-key", key, "-subj", subject, "-days", DAYS]
            self._openssl(self.certificate(name), *request, *options)

    def _openssl(self, output: Path, *arguments: str) -> None:
        """Run openssl; the output file appears whole or not at all."""
        unfinished = output.with_suffix(".unfinished")
        unfinished.touch(mode=0o600)
        command = ["openssl", *arguments, "-out", str(unfinished)]
        subprocess.run(command, check=True, capture_output=True)
        unfinished.rename(output)


def kubeconfig(pki: Pki, server: str, name: str, namespace: str) -> str:
    """Return a kubeconfig (JSON, which is YAML) with everything inside it.

    Args:
        pki: Where the client's certificate is.
        server: The API server's address.
        name: The certificate's name.
        namespace: The default namespace.
    """

    def inline(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": inline(pki.authority)}
    user = {
        "client-certificate-data": inline(pki.certificate(name)),
        "client-key-data": inline(pki.key(name)),
    }
    context = {"cluster": "kourse", "user": name, "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "kourse",
        "clusters": [{"name": "kourse", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "kourse", "context": context}],
    }
    return json.dumps(document, indent=1)
