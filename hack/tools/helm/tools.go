//go:build tools

// Package tools pins Helm, which renders and checks the charts.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
