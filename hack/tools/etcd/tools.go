//go:build tools

// Package tools pins etcd, which the control plane of a test node stores its objects in.
package tools

import _ "go.etcd.io/etcd/server/v3"
