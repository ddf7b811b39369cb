"""kourse: an intelligent tutoring platform for Kubernetes."""
