//go:build tools

// Package tools pins kubeadm, which sets up the nodes of test clusters.
package tools

import _ "k8s.io/kubernetes/cmd/kubeadm"
