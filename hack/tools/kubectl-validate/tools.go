//go:build tools

// Package tools pins kubectl-validate, which holds manifests against the schemas of a Kubernetes version.
package tools

import _ "sigs.k8s.io/kubectl-validate"
