//go:build tools

// Package tools pins kind, which runs the test clusters.
package tools

import _ "sigs.k8s.io/kind"
